-- oldest release that may serve: 0.1.0

-- said_at: when words were said, as Slack tells it, which may be long before they came (NULL: it tells nothing).
ALTER TABLE inbox ADD COLUMN said_at DOUBLE PRECISION;
