-- How many rounds of the line somebody has had a turn in: whoever has had fewer comes first.
ALTER TABLE waits ADD COLUMN round BIGINT NOT NULL DEFAULT 0;
