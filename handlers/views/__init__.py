"""The forms that people submit: each file is one, found by its name, which is the form's callback_id."""
