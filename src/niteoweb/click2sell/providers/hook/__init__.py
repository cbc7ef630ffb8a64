"""The signed hook, for shops, forms and automations that no other provider here is for."""
