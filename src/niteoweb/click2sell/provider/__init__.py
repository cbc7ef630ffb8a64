"""One pure module a payment provider: is a delivery genuine, and what does it say?

Such a module has ``NAME``, ``TITLE``, ``SIGNED``, ``EVENTS`` and the functions ``verify``,
``parse`` and ``answer``; :class:`niteoweb.click2sell.interfaces.IPaymentProvider` says what
each of them is.
"""
