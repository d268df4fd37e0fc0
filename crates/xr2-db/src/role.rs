//! The role that every pooled connection takes on PostgreSQL. It belongs to the cluster and not to the database, so it
//! is looked after at every start: a dump brings neither the role nor who may take it, and perhaps not its grants.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{DbError, Engine, Result, migrations};

/// Row-level security binds it whoever the address names.
pub(crate) const APP_ROLE: &str = "xr2_app";

const CREATE: &str = "CREATE ROLE xr2_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE";

/// Makes the role where there is none, and sees to it that the address's user may take it. Before the migrations.
pub(crate) async fn ensure(owner: &mut PgConnection) -> Result<()> {
    let user: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut *owner).await?;
    if !exists(owner).await? {
        match run(owner, CREATE).await {
            Ok(()) => {}
            // Another database's xr2 made it this very moment.
            Err(_) if exists(owner).await? => {}
            Err(error) => {
                return Err(refused(
                    &user,
                    "make the role xr2_app",
                    &[CREATE.to_owned(), grant(&user, owner).await?],
                    &error,
                ));
            }
        }
    }
    if may_take(owner).await? {
        return Ok(());
    }
    let grant = grant(&user, owner).await?;
    if let Err(error) = run(owner, &grant).await
        && !may_take(owner).await?
    {
        return Err(refused(&user, "take the role xr2_app", &[grant], &error));
    }
    Ok(())
}

/// Grants what the migrations granted, where any of it is missing. After the migrations.
pub(crate) async fn ensure_grants(owner: &mut PgConnection) -> Result<()> {
    let mut missing = Vec::new();
    for grant in grants() {
        if !holds(owner, &grant).await? {
            missing.push(grant.sql);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let user: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut *owner).await?;
    let mut tx = owner.begin().await?;
    for sql in &missing {
        if let Err(error) = run(&mut tx, sql).await {
            return Err(refused(&user, "grant xr2_app what it needs", &missing, &error));
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn exists(owner: &mut PgConnection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    Ok(sqlx::query_scalar(sql).bind(APP_ROLE).fetch_one(owner).await?)
}

/// Whether the user may `SET ROLE`. From PostgreSQL 16 on being a member is not enough.
async fn may_take(owner: &mut PgConnection) -> Result<bool> {
    let right = if knows_set(owner).await? { "SET" } else { "MEMBER" };
    let sql = "SELECT pg_has_role(current_user, $1, $2)";
    Ok(sqlx::query_scalar(sql).bind(APP_ROLE).bind(right).fetch_one(owner).await?)
}

async fn knows_set(owner: &mut PgConnection) -> Result<bool> {
    let sql = "SELECT current_setting('server_version_num')::int >= 160000";
    Ok(sqlx::query_scalar(sql).fetch_one(owner).await?)
}

async fn grant(user: &str, owner: &mut PgConnection) -> Result<String> {
    let options = if knows_set(owner).await? { " WITH SET TRUE" } else { "" };
    Ok(format!("GRANT {APP_ROLE} TO {}{options}", quoted(user)))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn run(connection: &mut PgConnection, sql: &str) -> std::result::Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop)
}

/// What only somebody with more rights can do, as they can paste it.
fn refused(user: &str, what: &str, statements: &[String], error: &sqlx::Error) -> DbError {
    let reason =
        error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    DbError::setup(format!(
        "the PostgreSQL user {user} may not {what} ({reason}). Run this once as a superuser, then start again:\n  {};",
        statements.join(";\n  ")
    ))
}

/// A statement of a migration that grants the role something.
struct Grant {
    sql: String,
    rights: Vec<String>,
    on: On,
}

enum On {
    Schema(String),
    Tables(Vec<String>),
}

/// All of them, in order; they are the only list of what the role may do.
fn grants() -> Vec<Grant> {
    let text: String = migrations()
        .iter()
        .flat_map(|migration| migration.text(Engine::Postgres).lines())
        .filter(|line| !line.trim_start().starts_with("--"))
        .flat_map(|line| [line, "\n"])
        .collect();
    text.split(';').filter_map(|statement| read_grant(statement.trim())).collect()
}

fn read_grant(sql: &str) -> Option<Grant> {
    let (rights, rest) = sql.strip_prefix("GRANT ")?.split_once(" ON")?;
    let (objects, to) = rest.rsplit_once(" TO ")?;
    if to.trim() != APP_ROLE {
        return None;
    }
    let names = |text: &str| text.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let on = match objects.trim().strip_prefix("SCHEMA ") {
        Some(schema) => On::Schema(schema.trim().to_owned()),
        None => On::Tables(names(objects)),
    };
    Some(Grant { sql: sql.to_owned(), rights: names(rights), on })
}

async fn holds(owner: &mut PgConnection, grant: &Grant) -> Result<bool> {
    for right in &grant.rights {
        let held: bool = match &grant.on {
            On::Schema(schema) => {
                let sql = "SELECT has_schema_privilege($1, $2, $3)";
                sqlx::query_scalar(sql).bind(APP_ROLE).bind(schema).bind(right).fetch_one(&mut *owner).await?
            }
            On::Tables(tables) => {
                // A table that a later migration dropped needs nothing.
                let sql = "SELECT coalesce(bool_and(has_table_privilege($1, to_regclass(name), $3)), true)
                           FROM unnest($2::text[]) AS name WHERE to_regclass(name) IS NOT NULL";
                sqlx::query_scalar(sql).bind(APP_ROLE).bind(tables).bind(right).fetch_one(&mut *owner).await?
            }
        };
        if !held {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{On, grants};

    #[test]
    fn every_grant_of_the_migrations_is_found() {
        let grants = grants();
        let written = crate::migrations()
            .iter()
            .map(|migration| migration.text(crate::Engine::Postgres).matches("xr2_app;").count())
            .sum::<usize>();
        assert_eq!(grants.len(), written);
        let of_events =
            grants.iter().find(|grant| matches!(&grant.on, On::Tables(names) if names == &["events"]));
        assert_eq!(of_events.expect("events are granted").rights, ["SELECT", "INSERT"]);
    }
}
