"""The dispatchers' REST API, and webhooks.

The mobile API belongs to `support`; what an order line may become is a rule of its model.
"""
