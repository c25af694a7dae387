-- oldest release that may serve: 0.1.0

-- news: what was decided about a course whose members follow, in that order; follow_at: when some more of them do
-- (NULL: all have).
ALTER TABLE class_cards ADD COLUMN news TEXT NOT NULL DEFAULT '[]';
ALTER TABLE class_cards ADD COLUMN follow_at DOUBLE PRECISION;
CREATE INDEX class_cards_followed ON class_cards (follow_at) WHERE follow_at IS NOT NULL;

-- What a member has agreed to, whatever has become of the timetable since: days, minutes, the last day; without
-- that, it is what the rule says. course_off: those days off that they didn't leave out themselves.
-- follows: the state of the timetable that lesson_look_at is from; heard: the one that they heard of last.
ALTER TABLE rules ADD COLUMN agreed_days TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN agreed_minutes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rules ADD COLUMN agreed_until TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN course_off TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN follows TEXT NOT NULL DEFAULT '';
ALTER TABLE rules ADD COLUMN heard TEXT NOT NULL DEFAULT '';
UPDATE rules SET course_off = (SELECT c.off FROM class_cards c WHERE c.id = rules.card)
WHERE card IN (SELECT id FROM class_cards);
UPDATE class_cards SET follow_at = 0 WHERE days <> '' AND done_at IS NULL;
