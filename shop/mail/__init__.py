"""Mail to people: what it says, and how it leaves once and never twice.

The texts are `templates/emails/`; when something is mailed, the one decides to whom it happens.
"""

from shop.mail.outgoing import deliver

# Also where a release before this one queued it.
__all__ = ["deliver"]
