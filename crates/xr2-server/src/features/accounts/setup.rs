//! The set-up link: whoever opens it makes the first account of an empty server and becomes its operator.

use sha2::{Digest, Sha256};
use xr2_db::{Purpose, Tx};

use crate::auth::random_token;
use crate::error::{ApiError, Result};
use crate::features::accounts::queries;
use crate::queries::{remove_setting, set_setting, setting};
use crate::state::App;

/// Holds the hash of the link's token until it is used.
const TOKEN: &str = "setup_token";

/// Makes the tokens of two databases with the same secret key differ.
const SALT: &str = "setup_salt";

/// The link to print while nobody has an account. The token follows from the secret key and a salt in the database, so
/// that all nodes and all starts print the same one; only its hash is stored.
pub async fn setup_link(app: &App) -> Result<Option<String>> {
    let now = app.clock().now();
    let mut tx = app.db().system(Purpose::Instance).write().await?;
    if queries::has_accounts(&mut tx).await? {
        remove_setting(&mut tx, TOKEN).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let salt = match setting(&mut tx, SALT).await? {
        Some(salt) => salt,
        None => {
            let salt = random_token(16);
            set_setting(&mut tx, SALT, &salt, now).await?;
            salt
        }
    };
    let token = hex(&app.secret().derive(&format!("set-up link {salt}")));
    set_setting(&mut tx, TOKEN, &hash(&token), now).await?;
    tx.commit().await?;
    Ok(Some(format!("{}/setup#token={token}", app.config().base_url())))
}

/// Uses the link up in the transaction that makes the first account. Of two people who try at once one succeeds.
pub(super) async fn use_link(tx: &mut Tx, token: &str) -> Result<()> {
    let taken = queries::take_setting(tx, TOKEN, &hash(token)).await?;
    if queries::has_accounts(tx).await? {
        return Err(ApiError::forbidden(
            "This set-up link has been used already. Sign in, or ask the operator.",
        ));
    }
    if taken {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "This is not the set-up link of this server. It stands in what the server printed when it started.",
    ))
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
