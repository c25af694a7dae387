-- oldest release that may serve: 0.1.0

-- answers: who was asked whether the account is theirs, by their keys, and whether it is (null: not answered); it takes
-- the place of owner and owner_says. waits: it can't be approved yet, as whom it may mean has a day to answer. What was
-- asked for before, or at an earlier release, doesn't wait.
ALTER TABLE approvals ADD COLUMN answers TEXT;
ALTER TABLE approvals ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
UPDATE approvals SET
    answers = '{"' || owner || '": ' || CASE owner_says WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END || '}'
WHERE owner IS NOT NULL;
CREATE INDEX notices_questions ON notices (principal) WHERE kind = 'account_asked';
