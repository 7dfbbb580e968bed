from rest_framework.exceptions import APIException


class PreconditionFailed(APIException):
    status_code = 412
    default_detail = "The order was changed since you read it. Read it again, then decide."


class TooLarge(APIException):
    status_code = 413
    default_detail = "That is more than this API takes."


class KeyReused(APIException):
    status_code = 422
    default_detail = "This Idempotency-Key was used for another request. Take a new one for each change."
