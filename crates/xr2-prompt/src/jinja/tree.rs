//! A checked template: only what the closed subset allows can be written down here.

use serde_json::Value;

/// A byte offset in the template's text.
pub(crate) type At = u32;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Text(Box<str>),
    Output(Expr),
    If {
        branches: Box<[(Expr, Block)]>,
        otherwise: Block,
    },
    For(Box<For>),
    /// The snippet of that index in the prompt's table.
    Include {
        snippet: usize,
        at: At,
    },
}

/// Pieces in order.
pub(crate) type Block = Box<[Node]>;

/// A loop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct For {
    pub targets: Box<[Box<str>]>,
    /// `for a, b in …` takes each item apart; `for a in …` does not.
    pub unpack: bool,
    pub items: Expr,
    pub filter: Option<Expr>,
    pub body: Block,
    pub otherwise: Block,
}

/// An expression and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub at: At,
    pub kind: ExprKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    Const(Value),
    Var(Box<str>),
    Loop(LoopField),
    List(Box<[Expr]>),
    Not(Box<Expr>),
    And(Box<[Expr]>),
    Or(Box<[Expr]>),
    Compare { first: Box<Expr>, rest: Box<[(Comparison, Expr)]> },
    IfElse { test: Box<Expr>, yes: Box<Expr>, no: Option<Box<Expr>> },
    Filter { filter: Filter, input: Box<Expr>, args: Box<[Option<Expr>]> },
    Test { test: Test, input: Box<Expr> },
    Attr { object: Box<Expr>, name: Box<str> },
    Item { object: Box<Expr>, key: Box<Expr> },
    Range(Box<[Expr]>),
}

/// What a template may ask `loop` for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoopField {
    Index,
    Index0,
    RevIndex,
    RevIndex0,
    First,
    Last,
    Length,
    Depth,
    Depth0,
    PrevItem,
    NextItem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $type { $($variant),* }

        impl $type {
            pub(crate) const NAMES: &[&str] = &[$($name),*];

            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

named! {
    /// The filters there are.
    Filter {
        Default = "default", Upper = "upper", Lower = "lower", Title = "title", Capitalize = "capitalize",
        Trim = "trim", Replace = "replace", Join = "join", Length = "length", First = "first", Last = "last",
        Round = "round", Int = "int", Float = "float", String = "string", ToJson = "tojson", Indent = "indent",
        List = "list", Sort = "sort", Unique = "unique", Items = "items",
    }
}

named! {
    /// The tests there are.
    Test {
        Defined = "defined", Undefined = "undefined", None = "none", String = "string", Number = "number",
        Integer = "integer", Float = "float", Boolean = "boolean", True = "true", False = "false",
        Sequence = "sequence", Mapping = "mapping", Iterable = "iterable", Odd = "odd", Even = "even",
    }
}

impl Filter {
    /// Names of the arguments, in order; the first `required` of them must be given.
    pub(crate) fn parameters(self) -> (&'static [&'static str], usize) {
        match self {
            Self::Default => (&["default_value", "boolean"], 0),
            Self::Trim => (&["chars"], 0),
            Self::Replace => (&["old", "new"], 2),
            Self::Join => (&["d", "attribute"], 0),
            Self::Round => (&["precision", "method"], 0),
            Self::Int | Self::Float => (&["default"], 0),
            Self::ToJson => (&["indent"], 0),
            Self::Indent => (&["width", "first", "blank"], 0),
            Self::Sort => (&["reverse", "case_sensitive", "attribute"], 0),
            Self::Unique => (&["case_sensitive", "attribute"], 0),
            _ => (&[], 0),
        }
    }
}

impl LoopField {
    pub(crate) const NAMES: &[&str] = &[
        "index",
        "index0",
        "revindex",
        "revindex0",
        "first",
        "last",
        "length",
        "depth",
        "depth0",
        "previtem",
        "nextitem",
    ];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "index" => Self::Index,
            "index0" => Self::Index0,
            "revindex" => Self::RevIndex,
            "revindex0" => Self::RevIndex0,
            "first" => Self::First,
            "last" => Self::Last,
            "length" => Self::Length,
            "depth" => Self::Depth,
            "depth0" => Self::Depth0,
            "previtem" => Self::PrevItem,
            "nextitem" => Self::NextItem,
            _ => return None,
        })
    }
}

/// How a template uses a name, in reading order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Use {
    Variable {
        name: Box<str>,
        shape: Shape,
    },
    /// A snippet, and the loop variables it finds bound.
    Include {
        snippet: usize,
        bound: Box<[Box<str>]>,
    },
}

/// What a use tells of a variable's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// Printed, compared, filtered.
    Plain,
    /// Its fields are read.
    Fields,
    /// It is looped over.
    Items,
}

/// Where an include stands in the text, for putting the snippet there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    /// From `{%` to behind `%}`.
    pub range: std::ops::Range<usize>,
    pub snippet: usize,
    /// `{%-`
    pub trim_before: bool,
    /// `-%}`
    pub trim_after: bool,
}

/// A template of the jinja syntax, checked and ready to render.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Template {
    pub nodes: Block,
    pub uses: Vec<Use>,
    pub splices: Vec<Splice>,
}

impl Template {
    /// Bytes held on the heap, roughly: the tree is a small multiple of its text.
    pub(crate) fn heap_bytes(&self) -> usize {
        let nodes: usize = self.nodes.iter().map(node_bytes).sum();
        nodes + self.uses.len() * (size_of::<Use>() + 16) + self.splices.len() * size_of::<Splice>()
    }
}

fn node_bytes(node: &Node) -> usize {
    let own = size_of::<Node>();
    let inner = match node {
        Node::Text(text) => text.len(),
        Node::Output(expr) => expr_bytes(expr),
        Node::Include { .. } => 0,
        Node::If { branches, otherwise } => {
            let tested = branches.iter().map(|(test, block)| expr_bytes(test) + block_bytes(block));
            tested.sum::<usize>() + block_bytes(otherwise)
        }
        Node::For(each) => {
            size_of::<For>()
                + expr_bytes(&each.items)
                + block_bytes(&each.body)
                + block_bytes(&each.otherwise)
        }
    };
    own + inner
}

fn block_bytes(block: &Block) -> usize {
    block.iter().map(node_bytes).sum()
}

fn expr_bytes(expr: &Expr) -> usize {
    let own = size_of::<Expr>();
    let inner = match &expr.kind {
        ExprKind::Const(Value::String(text)) => text.len(),
        ExprKind::Const(_) | ExprKind::Loop(_) => 0,
        ExprKind::Var(name) => name.len(),
        ExprKind::List(items) | ExprKind::And(items) | ExprKind::Or(items) | ExprKind::Range(items) => {
            items.iter().map(expr_bytes).sum()
        }
        ExprKind::Not(inner) | ExprKind::Test { input: inner, .. } => expr_bytes(inner),
        ExprKind::Compare { first, rest } => {
            expr_bytes(first) + rest.iter().map(|(_, expr)| expr_bytes(expr)).sum::<usize>()
        }
        ExprKind::IfElse { test, yes, no } => {
            expr_bytes(test) + expr_bytes(yes) + no.as_deref().map_or(0, expr_bytes)
        }
        ExprKind::Filter { input, args, .. } => {
            expr_bytes(input) + args.iter().flatten().map(expr_bytes).sum::<usize>()
        }
        ExprKind::Attr { object, name } => expr_bytes(object) + name.len(),
        ExprKind::Item { object, key } => expr_bytes(object) + expr_bytes(key),
    };
    own + inner
}
