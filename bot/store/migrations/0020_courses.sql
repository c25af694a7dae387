-- oldest release that may serve: 0.1.0

-- A class card with a timetable, if it has days, is a course; times of day are minutes, days dates.
-- moved: the times of lessons that were moved, by the day they come on; lead: how many seconds before a lesson
-- workspaces are started; trainers: who may do what its poster may.
ALTER TABLE class_cards ADD COLUMN days TEXT NOT NULL DEFAULT '';
ALTER TABLE class_cards ADD COLUMN starts INTEGER;
ALTER TABLE class_cards ADD COLUMN stops INTEGER;
ALTER TABLE class_cards ADD COLUMN first_day TEXT NOT NULL DEFAULT '';
ALTER TABLE class_cards ADD COLUMN last_day TEXT NOT NULL DEFAULT '';
ALTER TABLE class_cards ADD COLUMN off TEXT NOT NULL DEFAULT '';
ALTER TABLE class_cards ADD COLUMN moved TEXT NOT NULL DEFAULT '{}';
ALTER TABLE class_cards ADD COLUMN lead DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE class_cards ADD COLUMN trainers TEXT NOT NULL DEFAULT '';
CREATE INDEX class_cards_of_courses ON class_cards (created_at) WHERE days <> '' AND done_at IS NULL;

-- card: the course whose lessons a rule starts (NULL: it is its person's own), course: that course's title.
-- lesson_look_at: the look_at of such a rule, as 0.1.0 knows neither its last day nor its lead.
ALTER TABLE rules ADD COLUMN card TEXT;
ALTER TABLE rules ADD COLUMN course TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN first_day TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN last_day TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN moved TEXT NOT NULL DEFAULT '{}';
ALTER TABLE rules ADD COLUMN lead DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE rules ADD COLUMN lesson_look_at DOUBLE PRECISION;
CREATE INDEX rules_of_courses ON rules (card, principal) WHERE card IS NOT NULL;
CREATE INDEX rules_of_lessons_due ON rules (lesson_look_at, id) WHERE lesson_look_at IS NOT NULL;
