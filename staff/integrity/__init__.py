"""Whether what the database holds agrees with itself and with the code.

Whether the services answer belongs to `booktime.observing.doctor`.
"""
