//! OpenAI's lists: which part of a list a request wants, and the list object.

use library::{Listing, Order, Page};
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ErrorKind};

/// The query string of a list, as written.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ListQuery {
    limit: Option<String>,
    order: Option<String>,
    after: Option<String>,
    before: Option<String>,
    /// Files only: those with this purpose.
    pub(crate) purpose: Option<String>,
    /// Files of a collection only: those with this status.
    pub(crate) filter: Option<String>,
}

/// How many items a list gives.
pub(crate) struct ListLimits {
    /// Unless asked for.
    pub(crate) default: usize,
    /// At the most.
    pub(crate) max: usize,
}

impl ListLimits {
    /// For `GET /v1/files`.
    pub(crate) const FILES: Self = Self {
        default: 10_000,
        max: 10_000,
    };
    /// For collections and their files.
    pub(crate) const VECTOR_STORES: Self = Self {
        default: 20,
        max: 100,
    };
}

impl ListQuery {
    /// The part of the list that is wanted.
    pub(crate) fn page(&self, limits: &ListLimits) -> Result<Page, ApiError> {
        if self.before.is_some() {
            let message = "'before' is not supported; walk the list with 'after' and 'order'";
            return Err(ApiError::new(ErrorKind::UnsupportedParameter, message).at("before"));
        }
        Ok(Page {
            limit: self.limit(limits)?,
            after: self.after.clone(),
            order: self.order()?,
        })
    }

    fn limit(&self, limits: &ListLimits) -> Result<usize, ApiError> {
        let Some(written) = &self.limit else {
            return Ok(limits.default);
        };
        let limit = written.parse().ok();
        let in_range = limit.filter(|limit| (1..=limits.max).contains(limit));
        in_range.ok_or_else(|| {
            let message = format!("'limit' must be an integer from 1 to {}", limits.max);
            ApiError::new(ErrorKind::InvalidValue, message).at("limit")
        })
    }

    fn order(&self) -> Result<Order, ApiError> {
        match self.order.as_deref() {
            None | Some("desc") => Ok(Order::NewestFirst),
            Some("asc") => Ok(Order::OldestFirst),
            Some(_) => {
                let message = "'order' must be \"asc\" or \"desc\"";
                Err(ApiError::new(ErrorKind::InvalidValue, message).at("order"))
            }
        }
    }
}

/// A list of objects with ids.
#[derive(Serialize)]
pub(crate) struct ListObject<T> {
    object: &'static str,
    data: Vec<T>,
    first_id: Option<String>,
    last_id: Option<String>,
    has_more: bool,
}

/// What a list can hold.
pub(crate) trait Identified {
    /// The object's id, which is also its place in the list.
    fn id(&self) -> &str;
}

impl<T: Identified> ListObject<T> {
    /// The objects made of one page of a listing.
    pub(crate) fn new<S>(listing: &Listing<S>) -> Self
    where
        T: for<'a> From<&'a S>,
    {
        let data: Vec<T> = listing.data.iter().map(T::from).collect();
        let id = |object: Option<&T>| object.map(|object| object.id().to_owned());
        Self {
            object: "list",
            first_id: id(data.first()),
            last_id: id(data.last()),
            data,
            has_more: listing.has_more,
        }
    }
}
