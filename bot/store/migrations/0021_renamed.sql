-- renamed_to: the name that a refused account has at its provider by now, if that is why it was refused.
ALTER TABLE accounts ADD COLUMN renamed_to TEXT;
