-- oldest release that may serve: 0.1.0

-- handle: what Slack calls a person, who can't choose that as they can their name. email: what Slack has confirmed, where
-- it may be read (NULL: nobody knows). questioned_at: when they were last asked whether an account is theirs.
ALTER TABLE people ADD COLUMN handle TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN email TEXT;
ALTER TABLE people ADD COLUMN questioned_at DOUBLE PRECISION;

-- alike: whom else the username may mean, the likeliest first (NULL: nobody has looked). owner: who of them was asked, and owner_says, whether the
-- account is theirs (NULL: not answered).
ALTER TABLE approvals ADD COLUMN alike TEXT;
ALTER TABLE approvals ADD COLUMN owner TEXT;
ALTER TABLE approvals ADD COLUMN owner_says INTEGER;
