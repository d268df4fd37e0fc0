//! Who is calling and what they may do. Roles and scopes turn into rights here and nowhere else; a route asks for the
//! right it needs by the type of its extractor, `Allow<Write>`.

mod allow;
mod credentials;
mod denials;
mod rights;

pub use allow::{
    Access, Admin, Allow, AllowPerson, Caller, Deliver, Identity, Keys, Members, Need, Operator, Own, Person,
    Publish, Read, Recheck, Remove, SignedIn, Write,
};
pub use credentials::{
    Credential, SESSION_COOKIE, credential, is_same_origin, random_token, refuse_other_sites, token_hash,
};
pub use denials::Denials;
pub use rights::{Permissions, Right, Rights, Role, Scope};
