//! Accounts of people who were invited. They get no workspace of their own.

use xr2_db::Tx;

use crate::error::Result;
use crate::features::accounts::dto::{RegisterInput, User};
use crate::features::accounts::queries;
use crate::features::accounts::register::{self, NewAccount};
use crate::features::accounts::sessions;
use crate::http::RequestContext;
use crate::state::App;

/// Somebody whose account can be made.
pub struct Newcomer(NewAccount);

impl Newcomer {
    /// Checks name and password, and hashes the latter.
    pub async fn check(app: &App, email: &str, name: &str, password: &str) -> Result<Newcomer> {
        let input = RegisterInput {
            email: email.to_owned(),
            password: password.to_owned(),
            name: name.to_owned(),
            setup_token: None,
        };
        let (email, name) = register::check(&input)?;
        let password_hash = app.accounts().hasher.hash(password).await?;
        Ok(Newcomer(NewAccount { email, name, password_hash, operator: false }))
    }

    /// Makes the account and signs it in, in the transaction that uses the invitation up.
    pub async fn enter(self, app: &App, tx: &mut Tx, context: &RequestContext) -> Result<(User, String)> {
        let account = register::insert(app, tx, &self.0).await?;
        let token = sessions::open(app, tx, account.id, context).await?;
        Ok((register::user(&account), token))
    }
}

/// Whether there is an account with this address. Runs in a system transaction.
pub async fn has_account(tx: &mut Tx, email_key: &str) -> xr2_db::Result<bool> {
    Ok(queries::account_by_email(tx, email_key).await?.is_some())
}
