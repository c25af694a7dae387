-- A course's lessons are due for its members on their own rows: id; lesson: the local begin of the last one that was
-- begun for them; due_at: while one is to be begun. An open start of a lesson stays one.
ALTER TABLE participants ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN lesson TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN due_at DOUBLE PRECISION;
UPDATE participants SET
    id = card_id || ':' || principal,
    lesson = COALESCE((
        SELECT MAX(o.local) FROM rules r JOIN occurrences o ON o.rule_id = r.id AND o.side = 'start'
        WHERE r.card = participants.card_id AND r.principal = participants.principal
    ), '');
UPDATE participants SET operation_id = (
    SELECT MAX(o.id) FROM operations o
    WHERE o.workspace_id = participants.workspace_id AND o.outcome IS NULL AND o.planned_for IS NOT NULL
)
WHERE lesson <> '' AND EXISTS (
    SELECT 1 FROM operations o
    WHERE o.workspace_id = participants.workspace_id AND o.outcome IS NULL AND o.planned_for IS NOT NULL
);
-- What each member of a course had agreed to, and the days that they had left out. It is compared with the course before
-- its next lesson (bot/services/former_members.py): whoever had agreed to less leaves.
CREATE TABLE former_members (
    id TEXT PRIMARY KEY,
    card_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    consented_at DOUBLE PRECISION,
    days TEXT NOT NULL,
    minutes BIGINT NOT NULL,
    last_day TEXT NOT NULL,
    off TEXT NOT NULL,
    course_off TEXT NOT NULL,
    paused TEXT NOT NULL
);
CREATE INDEX former_members_of_card ON former_members (card_id);
INSERT INTO former_members
SELECT p.id, p.card_id, p.principal, p.consented_at, r.days || ' ' || r.agreed_days,
    CASE WHEN r.agreed_minutes > r.stops - r.starts THEN r.agreed_minutes ELSE r.stops - r.starts END,
    CASE WHEN r.agreed_until > r.last_day THEN r.agreed_until ELSE r.last_day END, r.off, r.course_off, r.paused
FROM rules r
JOIN class_cards c ON c.id = r.card AND c.done_at IS NULL
JOIN participants p ON p.card_id = r.card AND p.principal = r.principal AND p.withdrawn_at IS NULL;
UPDATE class_cards SET next_check_at = 0 WHERE days <> '' AND done_at IS NULL;
-- What the upgrade takes from somebody, or would leave untold, until each is told in one message
-- (bot/services/upgrades.py): what it is, the row that it is about, and how that was.
CREATE TABLE upgrade_losses (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    due_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX upgrade_losses_due ON upgrade_losses (due_at);
CREATE INDEX upgrade_losses_of_person ON upgrade_losses (principal);
INSERT INTO upgrade_losses
SELECT 'moved:' || id, principal, 'moved', id, moved, 0 FROM class_cards
WHERE moved NOT IN ('', '{}') AND closed_at IS NULL AND done_at IS NULL;
INSERT INTO upgrade_losses
SELECT 'hours_wait:' || id, principal, 'hours_wait', workspace_id, name, 0 FROM rules
WHERE uses_waitlist = 1 AND card IS NULL;
INSERT INTO upgrade_losses
SELECT 'limit_request:' || o.id, o.principal, 'limit_request', o.workspace_id, o.connection, 0 FROM operations o
WHERE EXISTS (SELECT 1 FROM notices n WHERE n.subject = o.id AND n.kind = 'limit_request')
    AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.subject = o.id AND n.kind = 'limit_answer');
INSERT INTO upgrade_losses
SELECT 'default_workspace:' || principal, principal, 'default_workspace', workspace_id, '', 0 FROM preferences
WHERE workspace_id <> '';
INSERT INTO upgrade_losses
SELECT 'default_template:' || principal, principal, 'default_template', connection, template, 0 FROM preferences
WHERE connection <> '';
INSERT INTO upgrade_losses
SELECT 'scheduled:' || t.id, a.principal, 'scheduled', a.connection, t.payload, 0 FROM tasks t
JOIN accounts a ON SUBSTR(t.subject, 1, LENGTH(a.id) + 1) = a.id || '/'
WHERE t.kind = 'schedule';
INSERT INTO upgrade_losses
SELECT 'notice:' || id, principal, kind, subject, body, 0 FROM notices
WHERE state IN ('pending', 'retry', 'leased') AND kind IN (
    'course_changed', 'course_teacher', 'course_without_teacher', 'hours_moved', 'hours_unused', 'limit_answer',
    'scheduled'
);
DELETE FROM notices WHERE kind = 'limit_answer';
DELETE FROM cards WHERE kind = 'limit_answer';
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
-- What was to be said by messages that are gone is in upgrade_losses; what stands in Slack stays as it is.
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
