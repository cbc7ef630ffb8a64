"""The commands for the terminal; :mod:`.console` opens the site for them."""
