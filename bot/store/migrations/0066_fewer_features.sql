-- A course's lessons are due for its members on their own rows: id; lesson: the local begin of the last one that was
-- begun for them; due_at: while one is to be begun. Their rules go; members who skipped lessons don't any more, and a course
-- whose lessons were moved has them on its own days.
ALTER TABLE participants ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN lesson TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN due_at DOUBLE PRECISION;
UPDATE participants SET
    id = card_id || ':' || principal,
    lesson = COALESCE((
        SELECT MAX(o.local) FROM rules r JOIN occurrences o ON o.rule_id = r.id AND o.side = 'start'
        WHERE r.card = participants.card_id AND r.principal = participants.principal
    ), '');
-- Whoever hadn't agreed to all of their course, as it is now, has left it: the card asks for their press again.
UPDATE participants SET withdrawn_at = consented_at, workspace_id = NULL, operation_id = NULL
WHERE EXISTS (
    SELECT 1 FROM class_cards c JOIN rules r ON r.card = c.id AND r.principal = participants.principal
    WHERE c.id = participants.card_id AND c.done_at IS NULL
        AND (r.days <> c.days OR r.stops - r.starts < c.stops - c.starts OR r.last_day < c.last_day)
);
CREATE UNIQUE INDEX participants_of_id ON participants (id);
CREATE INDEX participants_due ON participants (due_at, joined_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX participants_of_person ON participants (principal);
DELETE FROM occurrences WHERE rule_id IN (SELECT id FROM rules WHERE card IS NOT NULL);
DELETE FROM rules WHERE card IS NOT NULL;
DROP INDEX class_cards_followed;
ALTER TABLE class_cards DROP COLUMN moved;
ALTER TABLE class_cards DROP COLUMN timetable_changes;
ALTER TABLE class_cards DROP COLUMN fan_out_at;
ALTER TABLE class_cards DROP COLUMN without_teacher_until;
DROP INDEX rules_of_courses;
DROP INDEX rules_of_lessons_due;
DROP INDEX rules_of_calendars;
ALTER TABLE rules DROP COLUMN card;
ALTER TABLE rules DROP COLUMN course;
ALTER TABLE rules DROP COLUMN moved;
ALTER TABLE rules DROP COLUMN lesson_check_at;
ALTER TABLE rules DROP COLUMN agreed_days;
ALTER TABLE rules DROP COLUMN agreed_minutes;
ALTER TABLE rules DROP COLUMN agreed_until;
ALTER TABLE rules DROP COLUMN course_off;
ALTER TABLE rules DROP COLUMN applied_state;
ALTER TABLE rules DROP COLUMN notified_state;
ALTER TABLE rules DROP COLUMN calendar;
ALTER TABLE rules DROP COLUMN seen_zone;
ALTER TABLE rules DROP COLUMN uses_waitlist;
-- What was to be said of what is gone isn't said any more; what stands in Slack stays as it is.
DELETE FROM notices WHERE kind IN ('course_changed', 'course_teacher', 'course_without_teacher', 'hours_moved', 'hours_unused');
DELETE FROM cards WHERE kind IN ('course_changed', 'course_teacher', 'course_without_teacher', 'hours_moved', 'hours_unused');
-- What was done is only remembered to say who asked last: nothing is taken back by it any more. A Home is drawn when it is
-- published; home_at: when its person last opened or used it, NULL if never; who did until now wasn't kept for longer than a day.
-- No job's schedule is set.
ALTER TABLE undoable_actions DROP COLUMN until;
ALTER TABLE undoable_actions DROP COLUMN old_values;
ALTER TABLE undoable_actions DROP COLUMN new_values;
ALTER TABLE undoable_actions DROP COLUMN undone_at;
ALTER TABLE people ADD COLUMN home_at DOUBLE PRECISION;
UPDATE people SET home_at = 0;
DROP TABLE homes;
DROP INDEX operations_starting;
DROP INDEX runs_failed;
DELETE FROM tasks WHERE kind = 'schedule';
ALTER TABLE tasks DROP COLUMN is_replaced;
DELETE FROM notices WHERE kind = 'scheduled';
DELETE FROM cards WHERE kind = 'scheduled';
-- Nobody is asked for a higher limit any more, and nothing is started or made by default.
DELETE FROM notices WHERE kind IN ('limit_request', 'limit_answer');
DELETE FROM cards WHERE kind IN ('limit_request', 'limit_answer');
ALTER TABLE preferences DROP COLUMN workspace_id;
ALTER TABLE preferences DROP COLUMN connection;
ALTER TABLE preferences DROP COLUMN template;
