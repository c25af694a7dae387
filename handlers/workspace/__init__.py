"""What people do with workspaces: each verb, button and form is a function with its route."""
