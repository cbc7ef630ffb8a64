"""The commands for the terminal; :mod:`niteoweb.click2sell.console` opens the site for them."""
