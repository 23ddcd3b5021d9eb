//! The same without async. What needs no call is reached through `Deref`.
//!
//! As with [`crate::blocking`], the methods that make calls must not be called inside an
//! async runtime. Objects may go to other threads; their calls go one after another.

use std::ops::Deref;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::place::Place;
use super::{AdsPath, Enumerator, Result, ServiceStatus, Value};
use crate::{Credentials, Options};

/// [`super::get_object`].
///
/// # Errors
/// The same; 0x80070008 if the system has no descriptors left.
pub fn get_object(path: &str, credentials: &Credentials, options: &Options) -> Result<FileService> {
    FileService::bind(&AdsPath::parse(path)?, credentials, options)
}

macro_rules! blocking {
    ($($name:ident),+) => {
        $(#[doc = concat!("A blocking [`", stringify!($name), "`](super::", stringify!($name), ").")]
        #[derive(Debug)]
        pub struct $name {
            // Before the runtime: its socket must be dropped first.
            inner: super::$name,
            runtime: Arc<Runtime>,
        }

        impl Deref for $name {
            type Target = super::$name;

            fn deref(&self) -> &super::$name {
                &self.inner
            }
        })+
    };
}

blocking!(
    FileService,
    SessionsCollection,
    ResourcesCollection,
    Session,
    Resource
);

impl FileService {
    /// [`super::FileService::bind`].
    ///
    /// # Errors
    /// The same.
    pub fn bind(path: &AdsPath, credentials: &Credentials, options: &Options) -> Result<Self> {
        let place = Place::of(path)?;
        let runtime = crate::blocking::runtime(place.target())?;
        let inner = runtime.block_on(super::FileService::at(place, credentials, options))?;
        let runtime = Arc::new(runtime);
        Ok(Self { inner, runtime })
    }

    /// [`super::FileService::sessions`].
    pub fn sessions(&self) -> SessionsCollection {
        let (inner, runtime) = (self.inner.sessions(), Arc::clone(&self.runtime));
        SessionsCollection { inner, runtime }
    }

    /// [`super::FileService::resources`].
    pub fn resources(&self) -> ResourcesCollection {
        let (inner, runtime) = (self.inner.resources(), Arc::clone(&self.runtime));
        ResourcesCollection { inner, runtime }
    }

    /// [`super::FileService::status`].
    ///
    /// # Errors
    /// The same.
    pub fn status(&self) -> Result<ServiceStatus> {
        self.runtime.block_on(self.inner.status())
    }

    /// [`super::FileService::description`].
    ///
    /// # Errors
    /// The same.
    pub fn description(&self) -> Result<String> {
        self.runtime.block_on(self.inner.description())
    }

    /// [`super::FileService::max_user_count`].
    ///
    /// # Errors
    /// The same.
    pub fn max_user_count(&self) -> Result<Option<u32>> {
        self.runtime.block_on(self.inner.max_user_count())
    }

    /// [`super::FileService::version`].
    ///
    /// # Errors
    /// The same.
    pub fn version(&self) -> Result<String> {
        self.runtime.block_on(self.inner.version())
    }

    /// [`super::FileService::get`].
    ///
    /// # Errors
    /// The same.
    pub fn get(&self, property: &str) -> Result<Value> {
        self.runtime.block_on(self.inner.get(property))
    }

    /// [`super::FileService::get_info`].
    ///
    /// # Errors
    /// The same.
    pub fn get_info(&self) -> Result<()> {
        self.runtime.block_on(self.inner.get_info())
    }
}

macro_rules! collection {
    ($collection:ident, $item:ident) => {
        impl $collection {
            #[doc = concat!("[`super::", stringify!($collection), "::new_enum`].")]
            ///
            /// # Errors
            /// The same.
            pub fn new_enum(&self) -> Result<Enumerator<$item>> {
                let items = self.runtime.block_on(self.inner.new_enum())?;
                let item = |inner| $item {
                    inner,
                    runtime: Arc::clone(&self.runtime),
                };
                Ok(Enumerator::new(items.map(item).collect()))
            }

            #[doc = concat!("[`super::", stringify!($collection), "::get_object`].")]
            ///
            /// # Errors
            /// The same.
            pub fn get_object(&self, name: &str) -> Result<$item> {
                let inner = self.runtime.block_on(self.inner.get_object(name))?;
                let runtime = Arc::clone(&self.runtime);
                Ok($item { inner, runtime })
            }

            #[doc = concat!("[`super::", stringify!($collection), "::remove`].")]
            ///
            /// # Errors
            /// The same.
            pub fn remove(&self, name: &str) -> Result<()> {
                self.runtime.block_on(self.inner.remove(name))
            }
        }

        impl $item {
            #[doc = concat!("[`super::", stringify!($item), "::get_info`].")]
            ///
            /// # Errors
            /// The same.
            pub fn get_info(&mut self) -> Result<()> {
                self.runtime.block_on(self.inner.get_info())
            }
        }

        impl Clone for $item {
            fn clone(&self) -> Self {
                let (inner, runtime) = (self.inner.clone(), Arc::clone(&self.runtime));
                Self { inner, runtime }
            }
        }
    };
}

collection!(SessionsCollection, Session);
collection!(ResourcesCollection, Resource);
