//! A change: one write transaction of a workspace with its events and its revision.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;
use xr2_bus::{Heard, Hint};
use xr2_db::Tx;

use crate::auth::Access;
use crate::error::Result;
use crate::events::{Actor, EventType, NewEvent, Notice, Place, queries};
use crate::http::RequestContext;
use crate::state::App;

/// A running change. Dropped without [`Change::commit`] it leaves nothing behind.
pub struct Change {
    app: App,
    workspace: Uuid,
    actor: Actor,
    context: RequestContext,
    tx: Tx,
    events: Vec<NewEvent>,
    /// Events noted before the mark.
    marked: usize,
    /// The person at work, whose recent edits this becomes one of.
    editor: Option<Uuid>,
}

/// What a change came to.
#[derive(Debug, Clone, Copy)]
pub struct Committed {
    /// The workspace's revision, when delivery can see the change.
    pub revision: Option<i64>,
}

impl Change {
    /// Begins a change in the caller's workspace.
    pub async fn begin(app: &App, access: &Access) -> Result<Change> {
        let context = access.context().clone();
        let mut change = Change::begin_as(app, access.workspace, access.actor(), context).await?;
        change.editor = access.caller.user().ok().map(|user| user.id);
        Ok(change)
    }

    /// Begins a change on behalf of `actor`.
    pub async fn begin_as(
        app: &App,
        workspace: Uuid,
        actor: Actor,
        context: RequestContext,
    ) -> Result<Change> {
        if let Some(slot) = &context.idempotency {
            slot.flush().await?;
        }
        let tx = app.db().tenant(workspace).write().await?;
        Ok(Change::begin_in(app, tx, actor, context))
    }

    /// Goes on with a transaction that has entered its workspace, such as one that made it.
    pub fn begin_in(app: &App, tx: Tx, actor: Actor, context: RequestContext) -> Change {
        Change {
            app: app.clone(),
            workspace: tx.workspace(),
            actor,
            context,
            tx,
            events: Vec::new(),
            marked: 0,
            editor: None,
        }
    }

    /// The transaction, for queries.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Who is changing.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The workspace being changed.
    pub fn workspace(&self) -> Uuid {
        self.workspace
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Says that prompts change by something that is done to many at once: they are not what its actor edited last.
    pub fn is_no_edit(&mut self) {
        self.editor = None;
    }

    /// Prompts that exist still and that this change is about.
    fn edited(&self) -> BTreeSet<Uuid> {
        let is_edit =
            |event: &&NewEvent| event.resource.kind == "prompt" && event.kind != EventType::PromptPurged;
        self.events.iter().filter(is_edit).filter_map(|event| event.resource.id).collect()
    }

    /// Notes what happened; written at the commit.
    pub fn record(&mut self, event: NewEvent) {
        self.events.push(event);
    }

    /// How many events have been noted.
    pub fn recorded(&self) -> usize {
        self.events.len()
    }

    /// Remembers how far the change has come. What is done next is kept with [`Change::keep`], or undone with
    /// [`Change::take_back`], and the change goes on.
    pub async fn mark(&mut self) -> Result<()> {
        self.marked = self.events.len();
        Ok(self.tx.mark().await?)
    }

    /// Keeps what was done since the mark.
    pub async fn keep(&mut self) -> Result<()> {
        Ok(self.tx.keep().await?)
    }

    /// Undoes what was done since the mark; its events have not happened.
    pub async fn take_back(&mut self) -> Result<()> {
        self.events.truncate(self.marked);
        Ok(self.tx.take_back().await?)
    }

    /// Writes the events, takes the next revision where delivery sees the change, commits, and tells this node. When
    /// it returns, this node delivers the new state. A request with an `Idempotency-Key` commits when its answer is there.
    pub async fn commit(self) -> Result<Committed> {
        let written = self.write().await?;
        let committed = Committed { revision: written.revision };
        let written = match written.context.idempotency.clone() {
            Some(slot) => slot.park(written).await?,
            None => Some(written),
        };
        if let Some(written) = written {
            written.commit().await?;
        }
        Ok(committed)
    }

    async fn write(mut self) -> Result<Written> {
        if let Some(editor) = self.editor {
            let (edited, now) = (self.edited(), self.app.clock().now());
            queries::note_edits(&mut self.tx, editor, edited, now).await?;
        }
        let visible = self.events.iter().any(|event| event.kind.is_visible_to_delivery());
        let revision = if visible { Some(queries::next_revision(&mut self.tx).await?) } else { None };
        let clock = self.app.clock().clone();
        let ids: Vec<Uuid> = self.events.iter().map(|_| clock.new_id()).collect();
        for (event, id) in self.events.iter().zip(&ids) {
            let own = revision.filter(|_| event.kind.is_visible_to_delivery());
            let (tx, workspace) = (&mut self.tx, Some(self.workspace));
            queries::append(tx, *id, workspace, own, &self.actor, &self.context, event, clock.now()).await?;
        }
        let Change { app, workspace, context, tx, events, .. } = self;
        Ok(Written { app, workspace, context, tx, events: events.into_iter().zip(ids).collect(), revision })
    }
}

/// A change with its events and its revision, all written but for the commit. Dropped it leaves nothing behind.
pub struct Written {
    app: App,
    workspace: Uuid,
    context: RequestContext,
    tx: Tx,
    events: Vec<(NewEvent, Uuid)>,
    revision: Option<i64>,
}

impl Written {
    /// The transaction, for what is to last together with the change.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The workspace's revision, when delivery can see the change.
    pub fn revision(&self) -> Option<i64> {
        self.revision
    }

    /// Makes it last and tells this node.
    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await?;
        if let Some(revision) = self.revision {
            self.context.revision.reached(revision);
            let notices = self.events.iter();
            let notices = notices.map(|(event, id)| Notice::of_new(self.workspace, revision, *id, event));
            let notices = Arc::new(notices.collect::<Vec<_>>());
            let visible = |(event, _): &&(NewEvent, Uuid)| event.kind.is_visible_to_delivery();
            let last = self.events.iter().rev().find(visible);
            let place = Place { revision, event: last.map(|(_, id)| *id) };
            self.app.follower().expect(self.workspace, place);
            for notice in &*notices {
                self.app.follower().applied_here(notice);
            }
            self.app.follower().make_last(&notices).await;
            self.app.follower().wake(self.workspace, revision);
            self.app.bus().tell(Heard::Revision(Hint { workspace: self.workspace, revision }));
        }
        Ok(())
    }
}
