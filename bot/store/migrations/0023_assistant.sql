-- oldest release that may serve: 0.1.0

-- via: through what a person asked for it, where that wasn't themself ('assistant': Slack's).
ALTER TABLE acts ADD COLUMN via TEXT NOT NULL DEFAULT '';
-- assistant: what Slack's may do for a person (``bot.domain.preferences.LEVELS``).
ALTER TABLE preferences ADD COLUMN assistant TEXT NOT NULL DEFAULT 'show';
