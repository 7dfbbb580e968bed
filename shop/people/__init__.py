"""Who somebody is: passwords, known browsers, confirmed addresses.

How often one may try is `web.throttle`; the pages of an account are `views.accounts`.
"""
