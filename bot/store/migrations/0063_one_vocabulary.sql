-- What the code calls by a word of the field has that name here, too.

-- Tables: the server and the timeline on which the rows were written.
ALTER TABLE lineage RENAME TO database_timeline;
-- What people had done lately, each with what undoes it; who waits for capacity.
ALTER TABLE acts RENAME TO undoable_actions;
ALTER TABLE waits RENAME TO waitlist_entries;
-- Who was greeted.
ALTER TABLE contacts RENAME TO greetings;
-- What people filled in last.
ALTER TABLE remembered RENAME TO form_values;
-- Secrets of accounts that no key opened.
ALTER TABLE forgotten RENAME TO undecryptable_secrets;

-- Workspaces: whether their person is notified when they are ready and when they stop; when their planned stop,
-- their use, and the end that their provider has planned are checked next; the number of times they were brought up; when
-- their provider said for the second time that they are gone.
ALTER TABLE workspaces RENAME COLUMN tells_ready TO notify_ready;
ALTER TABLE workspaces RENAME COLUMN tells_stopped TO notify_stopped;
ALTER TABLE workspaces RENAME COLUMN stop_look_at TO stop_check_at;
ALTER TABLE workspaces RENAME COLUMN left_look_at TO idle_check_at;
ALTER TABLE workspaces RENAME COLUMN end_look_at TO provider_end_check_at;
ALTER TABLE workspaces RENAME COLUMN episode TO generation;
ALTER TABLE workspaces RENAME COLUMN gone_again_at TO gone_confirmed_at;

-- Accounts: when their credential was last tried. Links: how many attempts are left.
ALTER TABLE accounts RENAME COLUMN looked_at TO checked_at;
ALTER TABLE links RENAME COLUMN tries_left TO attempts_left;
ALTER TABLE links RENAME COLUMN code_tries_left TO code_attempts_left;

-- Rules: what was planned until then was started or stopped, or not for a reason.
ALTER TABLE rules RENAME COLUMN look_at TO next_check_at;
ALTER TABLE rules RENAME COLUMN lesson_look_at TO lesson_check_at;
ALTER TABLE rules RENAME COLUMN settled_at TO processed_until;
ALTER TABLE class_cards RENAME COLUMN look_at TO next_check_at;
ALTER TABLE homes RENAME COLUMN look_at TO next_check_at;
ALTER TABLE preferences RENAME COLUMN asks_after TO idle_prompt_after;

-- Runs: the stop that their person requested.
ALTER TABLE runs RENAME COLUMN stop_wanted TO requested_stop;
ALTER TABLE undoable_actions RENAME COLUMN errand TO work_item_id;
ALTER TABLE conversations RENAME COLUMN spoken_at TO updated_at;
ALTER TABLE greetings RENAME COLUMN met_at TO greeted_at;
ALTER TABLE waitlist_entries RENAME COLUMN got_at TO granted_at;

-- Notices: the one whose message tells several of them.
ALTER TABLE notices RENAME COLUMN held_by TO combined_into;
-- Nothing has written it since migration 0040.
ALTER TABLE notices DROP COLUMN held_until;

-- Workspaces: when their provider ends them and how, what a stop would lose, whether they survive it, and when their person
-- last opened them or asked for anything.
ALTER TABLE workspaces RENAME COLUMN ends_at TO expires_at;
ALTER TABLE workspaces RENAME COLUMN ends_how TO expiry_mode;
ALTER TABLE workspaces RENAME COLUMN at_stake TO stop_risks;
ALTER TABLE workspaces RENAME COLUMN is_kept TO survives_stop;
ALTER TABLE workspaces RENAME COLUMN asked_at TO last_request_at;
ALTER TABLE accounts RENAME COLUMN ends_at TO expires_at;
ALTER TABLE links RENAME COLUMN ends_at TO credential_expires_at;

-- What reads have reported and another read has to confirm.
ALTER TABLE workspaces RENAME COLUMN doubt TO unconfirmed;
ALTER TABLE workspaces RENAME COLUMN doubt_times TO unconfirmed_times;
ALTER TABLE workspaces RENAME COLUMN doubt_since TO unconfirmed_since;
ALTER TABLE runs RENAME COLUMN doubt TO unconfirmed;
ALTER TABLE runs RENAME COLUMN doubt_times TO unconfirmed_times;
ALTER TABLE runs RENAME COLUMN doubt_since TO unconfirmed_since;

-- Operations and runs: what blocks them, and since when; since when their person is asked whether to repeat the call; for
-- how many seconds a workspace is to run.
ALTER TABLE operations RENAME COLUMN hold TO block_reason;
ALTER TABLE operations RENAME COLUMN read_hold TO read_block_reason;
ALTER TABLE operations RENAME COLUMN held_since TO blocked_since;
ALTER TABLE operations RENAME COLUMN asked_at TO question_since;
ALTER TABLE operations RENAME COLUMN lasts TO run_seconds;
ALTER TABLE runs RENAME COLUMN hold TO block_reason;
ALTER TABLE runs RENAME COLUMN held_since TO blocked_since;
ALTER TABLE runs RENAME COLUMN asked_at TO question_since;

-- Requests to be linked: the people whom the username may mean, and whether their answers are waited for. Nobody
-- reads any more what only one of them was asked.
ALTER TABLE approvals RENAME COLUMN asked_at TO requested_at;
ALTER TABLE approvals RENAME COLUMN alike TO similar_users;
ALTER TABLE approvals RENAME COLUMN waits TO awaits_answers;
ALTER TABLE approvals DROP COLUMN owner;
ALTER TABLE approvals DROP COLUMN owner_says;

-- Inbox: when Slack says that a request was sent.
ALTER TABLE inbox RENAME COLUMN said_at TO sent_at;

-- Gates and Homes: when somebody asked for the newest state.
ALTER TABLE gates RENAME COLUMN wanted_at TO requested_at;
ALTER TABLE homes RENAME COLUMN wanted_at TO requested_at;

-- Undoable actions: what began them in their person's name.
ALTER TABLE undoable_actions RENAME COLUMN asker TO initiator;

-- Slack calls: when each was made.
ALTER TABLE slack_calls RENAME COLUMN made_at TO called_at;

-- Workspaces: the message of the last event that their provider reported.
ALTER TABLE workspaces RENAME COLUMN remark TO event_message;

-- Accounts and links: how the link was made.
ALTER TABLE accounts RENAME COLUMN made_by TO link_source;
ALTER TABLE links RENAME COLUMN made_by TO link_source;

-- Workspaces: when an account last tried to read them. Waitlist: when their start was last tried.
ALTER TABLE workspaces RENAME COLUMN tried_at TO attempted_at;
ALTER TABLE waitlist_entries RENAME COLUMN tried_at TO attempted_at;

-- Pauses that providers asked for: of which account's calls, since when and until when.
ALTER TABLE pauses RENAME COLUMN who TO account_id;
ALTER TABLE pauses RENAME COLUMN noted_at TO requested_at;
ALTER TABLE pauses RENAME COLUMN until TO paused_until;

-- Database timeline: when a failover was detected.
ALTER TABLE database_timeline RENAME COLUMN noted_at TO detected_at;

-- Class cards: the others who may change a course.
ALTER TABLE class_cards RENAME COLUMN trainers TO co_teachers;

-- Class cards and rules: how many seconds before a lesson its starts begin.
ALTER TABLE class_cards RENAME COLUMN lead TO lead_seconds;
ALTER TABLE rules RENAME COLUMN lead TO lead_seconds;

-- The day after which a course without a teacher ends.
ALTER TABLE class_cards RENAME COLUMN untaught_until TO without_teacher_until;

-- Class cards: when the next members' rules are changed after the timetable.
ALTER TABLE class_cards RENAME COLUMN follow_at TO fan_out_at;

-- Rules of courses: the state of the timetable that was applied, and the one that their person was notified of.
ALTER TABLE rules RENAME COLUMN follows TO applied_state;
ALTER TABLE rules RENAME COLUMN heard TO notified_state;

-- Class cards: the changes of the timetable, of which members are notified.
ALTER TABLE class_cards RENAME COLUMN news TO timetable_changes;

-- Undoable actions: the audit's word for each, and the columns of rows before and after it.
ALTER TABLE undoable_actions RENAME COLUMN action TO kind;
ALTER TABLE undoable_actions RENAME COLUMN was TO old_values;
ALTER TABLE undoable_actions RENAME COLUMN became TO new_values;

-- Waitlist entries: until when their person waits.
ALTER TABLE waitlist_entries RENAME COLUMN until TO expires_at;

-- Occurrences of hours: what was done about them.
ALTER TABLE occurrences RENAME COLUMN became TO result;

-- Workspaces: the stops that are planned, each for a reason.
ALTER TABLE workspaces RENAME COLUMN ends TO planned_stops;

-- Links and requests to be linked: the command that runs once its person is linked.
ALTER TABLE links RENAME COLUMN waiting TO deferred_command;
ALTER TABLE approvals RENAME COLUMN waiting TO deferred_command;

-- Cards and Homes: digests of what was rendered last, and when the card was claimed.
ALTER TABLE cards RENAME COLUMN drawn TO rendered_digest;
ALTER TABLE cards RENAME COLUMN claimed_drawn TO claimed_digest;
ALTER TABLE homes RENAME COLUMN drawn TO rendered_digest;

-- Cards: a count of the changes that made it dirty, and as of its claim.
ALTER TABLE cards RENAME COLUMN dirt TO revision;
ALTER TABLE cards RENAME COLUMN claimed_dirt TO claimed_revision;

-- Identity: what Slack answered to auth.test about the bot token.
ALTER TABLE identity RENAME COLUMN said TO auth_test;

-- Undecryptable secrets: since when they are no account's.
ALTER TABLE undecryptable_secrets RENAME COLUMN forgotten_at TO removed_at;

-- Notices: which are sent first.
ALTER TABLE notices RENAME COLUMN class TO urgency;

-- Rules: whether their starts wait for capacity.
ALTER TABLE rules RENAME COLUMN waits TO uses_waitlist;

-- Operations and runs: the event during a step because of which the next one comes at once.
ALTER TABLE operations RENAME COLUMN woken TO wake_reason;
ALTER TABLE runs RENAME COLUMN woken TO wake_reason;

-- The key in the metadata of a message that may have been sent under the former word of its kind: by that, Slack is
-- searched before it is sent again.
ALTER TABLE notices ADD COLUMN sent_as TEXT;

-- What actions changed is stored by the names of tables and columns.
UPDATE undoable_actions SET
    old_values = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
        REPLACE(REPLACE(REPLACE(old_values,
        '"tells_ready":', '"notify_ready":'), '"tells_stopped":', '"notify_stopped":'),
        '"stop_wanted":', '"requested_stop":'), '"settled_at":', '"processed_until":'),
        '"trainers":', '"co_teachers":'), '"lead":', '"lead_seconds":'),
        '"untaught_until":', '"without_teacher_until":'), '"follow_at":', '"fan_out_at":'),
        '"follows":', '"applied_state":'), '"heard":', '"notified_state":'), '"news":', '"timetable_changes":'),
        '"waits ', '"waitlist_entries '), '"until":', '"expires_at":'), '"state":"got"', '"state":"granted"'),
        '"ends":', '"planned_stops":'), '"waits":', '"uses_waitlist":'),
    new_values = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
        REPLACE(REPLACE(REPLACE(new_values,
        '"tells_ready":', '"notify_ready":'), '"tells_stopped":', '"notify_stopped":'),
        '"stop_wanted":', '"requested_stop":'), '"settled_at":', '"processed_until":'),
        '"trainers":', '"co_teachers":'), '"lead":', '"lead_seconds":'),
        '"untaught_until":', '"without_teacher_until":'), '"follow_at":', '"fan_out_at":'),
        '"follows":', '"applied_state":'), '"heard":', '"notified_state":'), '"news":', '"timetable_changes":'),
        '"waits ', '"waitlist_entries '), '"until":', '"expires_at":'), '"state":"got"', '"state":"granted"'),
        '"ends":', '"planned_stops":'), '"waits":', '"uses_waitlist":');

DROP INDEX forgotten_age;
CREATE INDEX undecryptable_secrets_age ON undecryptable_secrets (removed_at);
DROP INDEX acts_of_person;
DROP INDEX acts_age;
DROP INDEX acts_of_errand;
CREATE INDEX undoable_actions_of_person ON undoable_actions (principal, done_at);
CREATE INDEX undoable_actions_age ON undoable_actions (done_at);
CREATE INDEX undoable_actions_of_work_item ON undoable_actions (work_item_id);
DROP INDEX waits_open;
DROP INDEX waits_one_attempt;
DROP INDEX waits_due;
DROP INDEX waits_in_line;
DROP INDEX waits_of_workspace;
DROP INDEX waits_of_person;
DROP INDEX waits_by_seq;
DROP INDEX waits_over;
CREATE UNIQUE INDEX waitlist_entries_open ON waitlist_entries (workspace_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX waitlist_entries_one_attempt ON waitlist_entries (connection, kind) WHERE state = 'trying';
CREATE INDEX waitlist_entries_due ON waitlist_entries (next_at, id) WHERE ended_at IS NULL;
CREATE INDEX waitlist_entries_in_line ON waitlist_entries (connection, kind, seq);
CREATE INDEX waitlist_entries_of_workspace ON waitlist_entries (workspace_id);
CREATE INDEX waitlist_entries_of_person ON waitlist_entries (principal) WHERE ended_at IS NULL;
CREATE INDEX waitlist_entries_by_seq ON waitlist_entries (seq);
CREATE INDEX waitlist_entries_ended ON waitlist_entries (ended_at) WHERE ended_at IS NOT NULL;
DROP INDEX notices_held_by;
CREATE INDEX notices_combined ON notices (combined_into) WHERE combined_into IS NOT NULL;
DROP INDEX homes_wanted;
CREATE INDEX homes_requested ON homes (requested_at) WHERE requested_at IS NOT NULL;
DROP INDEX homes_to_look_at;
CREATE INDEX homes_to_check ON homes (next_check_at) WHERE next_check_at IS NOT NULL;

-- Messages and tasks have these names in their JSON.
UPDATE notices SET
    body = REPLACE(REPLACE(body, '"ends_at":', '"expires_at":'), '"is_kept":', '"survives_stop":')
WHERE kind IN ('ending', 'link_ending', 'unwarned');
UPDATE cards SET
    body = REPLACE(REPLACE(body, '"ends_at":', '"expires_at":'), '"is_kept":', '"survives_stop":')
WHERE kind IN ('ending', 'link_ending', 'unwarned');
UPDATE tasks SET
    payload = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(payload,
        '"hold":', '"block_reason":'), '"tell":', '"notify":'), '"what":"left"', '"what":"departed"'),
        '"what":"told"', '"what":"finished"'), '"what":"let in"', '"what":"accepted"'),
        '"what":"answering"', '"what":"reachable"')
WHERE kind IN ('go_on');
UPDATE notices SET
    body = REPLACE(body, '"noted_at":', '"detected_at":')
WHERE kind IN ('lost');
UPDATE cards SET
    body = REPLACE(body, '"noted_at":', '"detected_at":')
WHERE kind IN ('lost');
UPDATE notices SET
    body = REPLACE(body, '"kind":"room_waiting"', '"kind":"waitlist_place"')
WHERE kind IN ('message', 'reply');
UPDATE cards SET
    about = REPLACE(about, 'approval.asked/', 'approval.requested/')
WHERE kind IN ('message', 'reply');
UPDATE cards SET
    about = REPLACE(about, 'assistant_asked/', 'assistant_question/')
WHERE kind IN ('assistant_asked');

-- States. SQLite can't change a CHECK; the code writes no other states of requests to be linked.
CREATE TABLE former_approvals AS SELECT * FROM approvals;
DROP TABLE approvals;
CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    connection TEXT NOT NULL,
    username TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_at DOUBLE PRECISION NOT NULL,
    decided_by TEXT,
    decided_at DOUBLE PRECISION,
    detail TEXT,
    deferred_command TEXT,
    similar_users TEXT,
    email TEXT,
    answers TEXT,
    awaits_answers INTEGER NOT NULL DEFAULT 0
);
INSERT INTO approvals SELECT id, principal, connection, username, state, requested_at, decided_by, decided_at, detail,
    deferred_command, similar_users, email, answers, awaits_answers
FROM former_approvals;
DROP TABLE former_approvals;
UPDATE approvals SET state = 'requested' WHERE state = 'asked';
CREATE UNIQUE INDEX approvals_one_requested ON approvals (principal, connection) WHERE state = 'requested';
CREATE INDEX approvals_of_a_pair ON approvals (principal, connection);
CREATE INDEX approvals_decided ON approvals (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_undecided ON approvals (requested_at) WHERE state = 'requested';
UPDATE waitlist_entries SET state = 'granted' WHERE state = 'got';

-- Kinds of messages.
UPDATE notices SET sent_as = subject || '/' || kind || '/' || occasion
WHERE leased_at IS NOT NULL AND state IN ('pending', 'retry', 'leased');
UPDATE notices SET kind = 'outcome_question' WHERE kind = 'asked';
UPDATE cards SET kind = 'outcome_question' WHERE kind = 'asked';
UPDATE notices SET kind = 'job_outcome_question' WHERE kind = 'job_asked';
UPDATE cards SET kind = 'job_outcome_question' WHERE kind = 'job_asked';
UPDATE notices SET kind = 'assistant_question' WHERE kind = 'assistant_asked';
UPDATE cards SET kind = 'assistant_question' WHERE kind = 'assistant_asked';
UPDATE notices SET kind = 'relink_prompt' WHERE kind = 'link_again';
UPDATE cards SET kind = 'relink_prompt' WHERE kind = 'link_again';
UPDATE notices SET kind = 'link_attempted' WHERE kind = 'link_tried';
UPDATE cards SET kind = 'link_attempted' WHERE kind = 'link_tried';
UPDATE notices SET kind = 'approval_request' WHERE kind = 'approval_asked';
UPDATE cards SET kind = 'approval_request' WHERE kind = 'approval_asked';
UPDATE notices SET kind = 'account_question' WHERE kind = 'account_asked';
UPDATE cards SET kind = 'account_question' WHERE kind = 'account_asked';
UPDATE notices SET kind = 'limit_request' WHERE kind = 'more_asked';
UPDATE cards SET kind = 'limit_request' WHERE kind = 'more_asked';
UPDATE notices SET kind = 'limit_answer' WHERE kind = 'more_answered';
UPDATE cards SET kind = 'limit_answer' WHERE kind = 'more_answered';
UPDATE notices SET kind = 'waitlist_place' WHERE kind = 'room_waiting';
UPDATE cards SET kind = 'waitlist_place' WHERE kind = 'room_waiting';
UPDATE notices SET kind = 'waitlist_ended' WHERE kind = 'room_over';
UPDATE cards SET kind = 'waitlist_ended' WHERE kind = 'room_over';
UPDATE notices SET kind = 'idle_prompt' WHERE kind = 'needed';
UPDATE cards SET kind = 'idle_prompt' WHERE kind = 'needed';
UPDATE notices SET kind = 'workspace_expiry' WHERE kind = 'ending';
UPDATE cards SET kind = 'workspace_expiry' WHERE kind = 'ending';
UPDATE notices SET kind = 'link_expiry' WHERE kind = 'link_ending';
UPDATE cards SET kind = 'link_expiry' WHERE kind = 'link_ending';
UPDATE notices SET kind = 'stop_warning' WHERE kind = 'timer_ending';
UPDATE cards SET kind = 'stop_warning' WHERE kind = 'timer_ending';
UPDATE notices SET kind = 'planned_stop_failed' WHERE kind = 'timer_failed';
UPDATE cards SET kind = 'planned_stop_failed' WHERE kind = 'timer_failed';
UPDATE notices SET kind = 'warning_undelivered' WHERE kind = 'unwarned';
UPDATE cards SET kind = 'warning_undelivered' WHERE kind = 'unwarned';
UPDATE notices SET kind = 'class_stop_warning' WHERE kind = 'class_ending';
UPDATE cards SET kind = 'class_stop_warning' WHERE kind = 'class_ending';
UPDATE notices SET kind = 'lesson_not_ready' WHERE kind = 'unserved';
UPDATE cards SET kind = 'lesson_not_ready' WHERE kind = 'unserved';
UPDATE notices SET kind = 'course_without_teacher' WHERE kind = 'course_untaught';
UPDATE cards SET kind = 'course_without_teacher' WHERE kind = 'course_untaught';
UPDATE notices SET kind = 'writes_lost' WHERE kind = 'lost';
UPDATE cards SET kind = 'writes_lost' WHERE kind = 'lost';
UPDATE notices SET kind = 'backup_restored' WHERE kind = 'restored';
UPDATE cards SET kind = 'backup_restored' WHERE kind = 'restored';

DROP INDEX notices_questions;
CREATE INDEX notices_questions ON notices (principal) WHERE kind = 'account_question';
DROP INDEX notices_holding;

-- Kinds of tasks.
UPDATE tasks SET kind = 'revoke_credential' WHERE kind = 'revoke_secret';
UPDATE tasks SET kind = 'renew_credential' WHERE kind = 'renew';
UPDATE tasks SET kind = 'look_up_user' WHERE kind = 'find_user';
UPDATE tasks SET kind = 'ask_account_owners' WHERE kind = 'ask_whose';
UPDATE tasks SET kind = 'fan_out' WHERE kind = 'go_on';
UPDATE tasks SET kind = 'offboard' WHERE kind = 'leaver';
UPDATE tasks SET kind = 'list_runs' WHERE kind = 'list_jobs';

-- Kinds of actions, which are the audit's since this release; its own rows stay, as each has the hash of the one before.
UPDATE undoable_actions SET kind = 'workspace.keep' WHERE kind = 'workspace.needed';
UPDATE undoable_actions SET kind = 'workspace.join_waitlist' WHERE kind = 'workspace.wait';
UPDATE undoable_actions SET kind = 'workspace.leave_waitlist' WHERE kind = 'workspace.unwait';
UPDATE undoable_actions SET kind = 'workspace.start_another' WHERE kind = 'workspace.another';
UPDATE undoable_actions SET kind = 'job.start_another' WHERE kind = 'job.another';
UPDATE undoable_actions SET kind = 'job.unfollow' WHERE kind = 'job.let_go';
UPDATE undoable_actions SET kind = 'class.join' WHERE kind = 'class.press';
UPDATE undoable_actions SET kind = 'class.cancel_lesson' WHERE kind = 'class.off';
UPDATE undoable_actions SET kind = 'class.restore_lesson' WHERE kind = 'class.back';
UPDATE undoable_actions SET kind = 'approval.requested' WHERE kind = 'approval.asked';
