-- Texts no longer refer to what was last spoken of.
DROP TABLE conversations;
