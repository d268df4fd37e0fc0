//! `xr2 admin`: for people who are locked out, and for who runs the server. Whoever may read the database may do this.

use xr2_server::features::accounts::{self, admin};

use crate::cli::Admin;
use crate::commands::{jobs, open};

pub async fn run(command: Admin) -> anyhow::Result<()> {
    match command {
        Admin::ResetPassword(person) => {
            let app = open(&person.settings).await?;
            let password = admin::reset_password(&app, &person.email, None).await?;
            println!("New password of {}: {password}", person.email);
            println!("It is shown this once; all their sessions have ended.");
            app.finish_stop().await;
        }
        Admin::MakeOperator(person) => {
            let app = open(&person.settings).await?;
            admin::make_operator(&app, &person.email).await?;
            println!("{} is an operator of this server now.", person.email);
            app.finish_stop().await;
        }
        Admin::SetupLink { settings } => {
            let app = open(&settings).await?;
            match accounts::setup_link(&app).await? {
                Some(link) => println!("{link}"),
                None => anyhow::bail!(
                    "somebody has an account already; `xr2 admin list-users` and `xr2 admin reset-password` help further"
                ),
            }
            app.finish_stop().await;
        }
        Admin::ListUsers { settings } => {
            let app = open(&settings).await?;
            for user in admin::list_users(&app).await? {
                println!(
                    "{}  {}{}",
                    user.email,
                    user.name,
                    if user.is_operator { "  (operator)" } else { "" }
                );
            }
            app.finish_stop().await;
        }
        Admin::Jobs(command) => jobs::run(command).await?,
    }
    Ok(())
}
