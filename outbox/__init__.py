"""Mail, events and webhooks: everything this site sends out, and the mail that comes back."""
