-- What a workspace runs on, as far as is known, and the price of an hour. Its lives have what it was when they began.
ALTER TABLE workspaces ADD COLUMN template TEXT;
ALTER TABLE workspaces ADD COLUMN size TEXT;
ALTER TABLE workspaces ADD COLUMN price TEXT;
ALTER TABLE workspaces ADD COLUMN currency TEXT;
