"""What the mobile API and its app stand on: tokens, schema, carrier, REST habits.

Its endpoints are `views.mobile` and `views.messages`.
"""
