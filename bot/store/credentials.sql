-- name: accounts_with_undecryptable_secrets
SELECT a.*, f.secret AS undecryptable_secret FROM undecryptable_secrets f JOIN accounts a ON a.id = f.account_id AND a.state = 'refused';
