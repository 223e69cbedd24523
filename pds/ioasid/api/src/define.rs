// SPDX-License-Identifier: BSD-2-Clause
//! What a table of the protocol is made into: for each row a type with its words, and what decodes them.

use crate::{Code, MAX_WORDS, Message, Registers};

/// Who may use an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Every client, for what is its own set's.
    Client,
    /// A channel with `admin = true` in `ioasid.toml`.
    Admin,
    /// A channel with `provider = true` in `ioasid.toml`.
    Provider,
}

impl Right {
    /// The line of a client in `ioasid.toml` that gives the right, where it takes one.
    #[must_use]
    pub fn granted_by(self) -> Option<&'static str> {
        match self {
            Self::Client => None,
            Self::Admin => Some("admin = true"),
            Self::Provider => Some("provider = true"),
        }
    }
}

impl Right {
    /// The right that an operation with this number takes, were there one: numbers go by rights.
    #[inline]
    #[must_use]
    pub const fn of(number: u64) -> Self {
        match number {
            0x40..=0x5f => Self::Admin,
            0x60..=0x7f => Self::Provider,
            _ => Self::Client,
        }
    }
}

/// An operation that can be called: its words out, and the type of its words back.
pub trait Call: Sized {
    /// What a successful call answers.
    type Reply: Reply;

    /// The message's label.
    const NUMBER: u64;
    /// Who may call it.
    const RIGHT: Right;
    /// How many words it has.
    const WORDS: usize;

    /// The request as a message.
    fn encode(&self) -> Message;

    /// The request that these words spell.
    ///
    /// # Errors
    /// [`Code::WrongLength`], [`Code::BadField`].
    fn decode(words: &[u64]) -> Result<Self, Code>;
}

/// The words of a successful answer.
pub trait Reply: Sized {
    /// Writes the answer's words into the first message registers, and gives how many they are. Those behind them stay
    /// as they are: they are not sent.
    fn write(&self, registers: &mut Registers) -> usize;

    /// The answer that these words spell, if they spell one.
    fn decode(words: &[u64]) -> Option<Self>;
}

/// Writes words into the first message registers, and gives how many they are.
#[inline(always)]
pub(crate) fn write<const N: usize>(registers: &mut Registers, words: [u64; N]) -> usize {
    const { assert!(N <= MAX_WORDS, "an answer has at most four words") };
    registers[..N].copy_from_slice(&words);
    N
}

macro_rules! word {
    ($field:ident: $type:ty, $($doc:literal)*) => {
        WordInfo { name: stringify!($field), ty: &<$type as Field>::TYPE, doc: &[$($doc,)*] }
    };
}

macro_rules! replies {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name { $($(#[doc = $field_doc])* pub $field: $type,)* }

            impl Reply for $name {
                #[inline(always)]
                fn write(&self, registers: &mut Registers) -> usize {
                    write(registers, [$(self.$field.to_word(),)*])
                }

                #[inline(always)]
                fn decode(words: &[u64]) -> Option<Self> {
                    let &[$($field,)*] = words else { return None };
                    Some(Self { $($field: Field::from_word($field)?,)* })
                }
            }
        )*

        /// Every kind of answer.
        pub const REPLIES: &[ReplyInfo] = &[$(ReplyInfo {
            name: stringify!($name),
            words: &[$(word!($field: $type, $($field_doc)*),)*],
            doc: &[$($doc,)*],
        },)*];
    };
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $right:ident $number:literal $name:ident
        { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* } => $reply:ident
        $(, $($code:ident)+)?;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name { $($(#[doc = $field_doc])* pub $field: $type,)* }

            impl Call for $name {
                type Reply = $reply;

                const NUMBER: u64 = $number;
                const RIGHT: Right = Right::$right;
                const WORDS: usize = <[&str]>::len(&[$(stringify!($field)),*]);

                #[inline(always)]
                fn encode(&self) -> Message {
                    Message::new($number, [$(self.$field.to_word(),)*])
                }

                #[inline(always)]
                fn decode(words: &[u64]) -> Result<Self, Code> {
                    let &[$($field,)*] = words else { return Err(Code::WrongLength) };
                    Ok(Self { $($field: Field::from_word($field).ok_or(Code::BadField)?,)* })
                }
            }
        )*

        /// A request that was understood.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Request { $($(#[doc = $doc])* $name($name),)* }

        impl Request {
            /// The request that a message spells.
            ///
            /// # Errors
            /// [`Code::UnknownOperation`], [`Code::WrongLength`] or [`Code::BadField`]: the message is none of
            /// the protocol's.
            pub fn decode(label: u64, words: &[u64]) -> Result<Self, Code> {
                match label {
                    $($number => $name::decode(words).map(Self::$name),)*
                    _ => Err(Code::UnknownOperation),
                }
            }

            /// Who may ask this.
            #[must_use]
            pub fn right(&self) -> Right {
                match self { $(Self::$name(_) => Right::$right,)* }
            }
        }

        /// Every operation, in order of its number.
        pub const OPERATIONS: &[OperationInfo] = &[$(OperationInfo {
            number: $number,
            name: stringify!($name),
            right: Right::$right,
            request: &[$(word!($field: $type, $($field_doc)*),)*],
            reply: stringify!($reply),
            refusals: &[$($(Code::$code,)+)?],
            doc: &[$($doc,)*],
        },)*];
    };
}

pub(crate) use {operations, replies, word};
