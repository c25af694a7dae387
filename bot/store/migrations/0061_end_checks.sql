-- Until when a workspace that ends soon is left alone, once it was looked at whether its end has to be announced.
ALTER TABLE workspaces ADD COLUMN end_look_at DOUBLE PRECISION NOT NULL DEFAULT 0;
