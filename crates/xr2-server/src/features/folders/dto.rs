//! What is sent about folders.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// A new folder.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFolder {
    /// Its name; no other folder beside it has the same, upper and lower case alike.
    #[schema(min_length = 1, max_length = 100, example = "Support")]
    pub name: String,
    /// The folder it stands in; none: at the top.
    pub parent_folder_id: Option<Uuid>,
}

/// Changes to a folder. Absent fields stay as they are.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateFolder {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Customers")]
    pub name: Option<String>,
    /// The folder it moves into, with everything in it; null: to the top.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    pub parent_folder_id: Option<Option<Uuid>>,
}

/// Distinguishes an absent field from `null`.
fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
