//! The folders of a workspace as a tree.

use std::collections::HashMap;

use uuid::Uuid;

use crate::features::folders::queries::FolderRow;

/// How many folders may stand in each other.
pub const MAX_DEPTH: usize = 10;

/// All folders of a workspace.
pub struct Tree {
    rows: HashMap<Uuid, FolderRow>,
}

impl Tree {
    /// The tree of these rows.
    pub fn of(rows: Vec<FolderRow>) -> Tree {
        Tree { rows: rows.into_iter().map(|row| (row.id, row)).collect() }
    }

    /// The same with `row` as it is now.
    pub fn with(mut self, row: FolderRow) -> Tree {
        self.rows.insert(row.id, row);
        self
    }

    /// How many folders there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&FolderRow> {
        self.rows.get(&id)
    }

    /// The folder and those it stands in, from itself up.
    fn upwards(&self, id: Uuid) -> impl Iterator<Item = &FolderRow> {
        // Bounded, so that a circle, which cannot be, would hang nothing.
        std::iter::successors(self.get(id), |row| self.get(row.parent?)).take(MAX_DEPTH + 1)
    }

    /// Names from the top down.
    pub fn path(&self, id: Uuid) -> Vec<String> {
        let mut path: Vec<String> = self.upwards(id).map(|row| row.name.clone()).collect();
        path.reverse();
        path
    }

    /// At which level it stands; 1 is the top.
    pub fn depth(&self, id: Uuid) -> usize {
        self.upwards(id).count()
    }

    /// Whether `id` is `other` or stands in it at any level.
    pub fn is_within(&self, id: Uuid, other: Uuid) -> bool {
        self.upwards(id).any(|row| row.id == other)
    }

    /// The folder and all below it.
    pub fn below(&self, id: Uuid) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> =
            self.rows.keys().copied().filter(|other| self.is_within(*other, id)).collect();
        ids.sort_unstable();
        ids
    }

    /// Levels from the folder down to the lowest in it; 1 when nothing stands in it.
    pub fn height(&self, id: Uuid) -> usize {
        let top = self.depth(id);
        let lowest = self.below(id).into_iter().map(|below| self.depth(below)).max();
        lowest.unwrap_or(top) + 1 - top
    }

    /// Those that stand directly in `parent`; none: at the top.
    pub fn children(&self, parent: Option<Uuid>) -> impl Iterator<Item = &FolderRow> {
        self.rows.values().filter(move |row| row.parent == parent)
    }

    /// All of them, in the order of their paths.
    pub fn into_sorted(self) -> Vec<(FolderRow, Vec<String>)> {
        let mut rows: Vec<(Vec<String>, FolderRow, Vec<String>)> = Vec::with_capacity(self.rows.len());
        for row in self.rows.values() {
            let path = self.path(row.id);
            rows.push((path.iter().map(|name| name.to_lowercase()).collect(), row.clone(), path));
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.id.cmp(&b.1.id)));
        rows.into_iter().map(|(_, row, path)| (row, path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn tree(parents: &[(u128, Option<u128>)]) -> Tree {
        let at = crate::clock::Clock::default().now();
        let row = |(n, parent): &(u128, Option<u128>)| FolderRow {
            id: id(*n),
            parent: parent.map(id),
            name: format!("F{n}"),
            created_at: at,
            updated_at: at,
        };
        Tree::of(parents.iter().map(row).collect())
    }

    #[test]
    fn knows_who_stands_where() {
        let tree = tree(&[(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1)), (5, None)]);
        assert_eq!(tree.path(id(3)), ["F1", "F2", "F3"]);
        assert_eq!((tree.depth(id(1)), tree.depth(id(3))), (1, 3));
        assert_eq!((tree.height(id(1)), tree.height(id(2)), tree.height(id(5))), (3, 2, 1));
        assert!(tree.is_within(id(3), id(1)) && tree.is_within(id(1), id(1)));
        assert!(!tree.is_within(id(1), id(3)) && !tree.is_within(id(5), id(1)));
        assert_eq!(tree.below(id(1)), [id(1), id(2), id(3), id(4)]);
        let names: Vec<String> = tree.into_sorted().into_iter().map(|(_, path)| path.join("/")).collect();
        assert_eq!(names, ["F1", "F1/F2", "F1/F2/F3", "F1/F4", "F5"]);
    }

    #[test]
    fn a_circle_hangs_nothing() {
        let tree = tree(&[(1, Some(2)), (2, Some(1))]);
        assert_eq!(tree.depth(id(1)), MAX_DEPTH + 1);
        assert_eq!(tree.below(id(1)).len(), 2);
    }
}
