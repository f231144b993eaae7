"""Apps behind the door: who may use which, and how each is told who somebody is (OpenID Connect, forward-auth)."""
