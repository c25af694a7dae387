-- What the code calls by a word of the field is called by it here, too.

-- Workspaces: whether their person is notified when they are ready and when they stop; when a planned stop, whether they
-- are idle, and when what their provider has planned are checked next; the number of times they were brought up; when their
-- provider said for the second time that they are gone.
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
ALTER TABLE acts RENAME COLUMN errand TO work_item_id;
ALTER TABLE conversations RENAME COLUMN spoken_at TO updated_at;
ALTER TABLE contacts RENAME COLUMN met_at TO greeted_at;
ALTER TABLE waits RENAME COLUMN got_at TO granted_at;

-- Notices: the one whose message tells several of them.
ALTER TABLE notices RENAME COLUMN held_by TO combined_into;
-- Nothing has written it since migration 0040.
ALTER TABLE notices DROP COLUMN held_until;

-- What actions changed is there by the names of columns.
UPDATE acts SET
    was = REPLACE(REPLACE(REPLACE(REPLACE(was,
        '"tells_ready":', '"notify_ready":'), '"tells_stopped":', '"notify_stopped":'),
        '"stop_wanted":', '"requested_stop":'), '"settled_at":', '"processed_until":'),
    became = REPLACE(REPLACE(REPLACE(REPLACE(became,
        '"tells_ready":', '"notify_ready":'), '"tells_stopped":', '"notify_stopped":'),
        '"stop_wanted":', '"requested_stop":'), '"settled_at":', '"processed_until":');

DROP INDEX notices_held_by;
CREATE INDEX notices_combined ON notices (combined_into) WHERE combined_into IS NOT NULL;
DROP INDEX homes_to_look_at;
CREATE INDEX homes_to_check ON homes (next_check_at) WHERE next_check_at IS NOT NULL;
