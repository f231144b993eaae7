"""The one door to the views of the engine: codes, tokens, the claims of userinfo, introspection."""
