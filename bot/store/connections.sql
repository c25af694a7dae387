-- name: connections
SELECT name, title FROM connections;
