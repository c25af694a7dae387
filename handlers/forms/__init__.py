"""The forms for what people make, and what they are made from."""
