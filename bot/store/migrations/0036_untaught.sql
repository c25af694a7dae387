-- untaught_until: the last day of a course whose teachers have all gone, unless somebody takes it over ('': it has some).
ALTER TABLE class_cards ADD COLUMN untaught_until TEXT NOT NULL DEFAULT '';
