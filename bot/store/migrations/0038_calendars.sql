-- calendar: the digest of the private address by which calendars read the lessons of a rule (NULL: it has none).
ALTER TABLE rules ADD COLUMN calendar TEXT;
CREATE INDEX rules_of_calendars ON rules (calendar) WHERE calendar IS NOT NULL;
