-- name: forgotten_accounts
SELECT a.*, f.secret AS forgotten FROM forgotten f JOIN accounts a ON a.id = f.account_id AND a.state = 'refused';
