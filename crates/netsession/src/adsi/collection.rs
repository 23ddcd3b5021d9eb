//! [`SessionsCollection`] and [`ResourcesCollection`]: IADsCollection.

use std::iter::FusedIterator;
use std::sync::Arc;

use super::binding::Binding;
use super::resource::{find, parse_name};
use super::session::split_name;
use super::value::not_implemented;
use super::{Resource, Result, Session};

/// The items of a collection as they were at one moment (IEnumVARIANT). It owns what it
/// gives: items that are removed meanwhile are given all the same.
#[derive(Clone, Debug)]
pub struct Enumerator<T>(std::vec::IntoIter<T>);

impl<T> Enumerator<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        Self(items.into_iter())
    }

    /// Those to come.
    pub fn as_slice(&self) -> &[T] {
        self.0.as_slice()
    }
}

impl<T> Iterator for Enumerator<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> ExactSizeIterator for Enumerator<T> {}

impl<T> FusedIterator for Enumerator<T> {}

/// The sessions of a file service: of all users on all computers (IADsCollection).
#[derive(Clone, Debug)]
pub struct SessionsCollection {
    binding: Arc<Binding>,
}

impl SessionsCollection {
    pub(super) fn new(binding: &Arc<Binding>) -> Self {
        Self {
            binding: Arc::clone(binding),
        }
    }

    /// _NewEnum: the sessions as they are now (NetSessionEnum).
    ///
    /// # Errors
    /// Those of the call: 0x80070005 if the user may not list them.
    pub async fn new_enum(&self) -> Result<Enumerator<Session>> {
        let sessions = self.binding.sessions().await?;
        let session = |info| Session::new(&self.binding, info);
        Ok(Enumerator::new(sessions.iter().map(session).collect()))
    }

    /// GetObject: the session of this name, `user\computer` (NetSessionGetInfo). If two share
    /// it, the first.
    ///
    /// # Errors
    /// [`HResult::E_ADS_BAD_PARAMETER`](super::HResult::E_ADS_BAD_PARAMETER) if the text is no
    /// such name, 0x80070908 (NERR_ClientNameNotFound) if there is none, and those of the
    /// call.
    pub async fn get_object(&self, name: &str) -> Result<Session> {
        let (user, computer) = split_name(name)?;
        let info = self.binding.session(computer, user).await?;
        Ok(Session::new(&self.binding, &info))
    }

    /// Remove: ends the session of this name on the server (NetSessionDel). If two share it,
    /// both end. One's own may be ended too; the next call then connects again.
    ///
    /// # Errors
    /// As [`SessionsCollection::get_object`]. Samba answers 5 where it has none of this name.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let (user, computer) = split_name(name)?;
        self.binding.end(computer, user).await
    }

    /// Add: sessions are begun by clients.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn add(&self, name: &str) -> Result<()> {
        Err(not_implemented(
            format!("adding session \"{}\"", name.escape_debug()),
            "sessions are begun by clients",
        ))
    }
}

/// What is open on a file service: files, folders and pipes (IADsCollection).
#[derive(Clone, Debug)]
pub struct ResourcesCollection {
    binding: Arc<Binding>,
}

impl ResourcesCollection {
    pub(super) fn new(binding: &Arc<Binding>) -> Self {
        Self {
            binding: Arc::clone(binding),
        }
    }

    /// _NewEnum: the opens as they are now (NetFileEnum at level 3).
    ///
    /// # Errors
    /// Those of the call: 0x80070005 if the user may not list them.
    pub async fn new_enum(&self) -> Result<Enumerator<Resource>> {
        let files = self.binding.files().await?;
        let resource = |info| Resource::new(&self.binding, info);
        Ok(Enumerator::new(files.into_iter().map(resource).collect()))
    }

    /// GetObject: the open of this name, which is its number in decimal.
    ///
    /// # Errors
    /// [`HResult::E_ADS_BAD_PARAMETER`](super::HResult::E_ADS_BAD_PARAMETER) if the text is no
    /// such number, 0x8007090A (NERR_FileIdNotFound) if there is none, and those of the call.
    pub async fn get_object(&self, name: &str) -> Result<Resource> {
        let info = find(&self.binding, parse_name(name)?).await?;
        Ok(Resource::new(&self.binding, info))
    }

    /// Remove: closes it on the server (NetFileClose). What the client had not sent yet is
    /// lost.
    ///
    /// # Errors
    /// As [`ResourcesCollection::get_object`]. Samba answers 2 where it has none of this
    /// number.
    pub async fn remove(&self, name: &str) -> Result<()> {
        self.binding.close_file(parse_name(name)?).await
    }

    /// Add: files are opened by clients.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn add(&self, name: &str) -> Result<()> {
        Err(not_implemented(
            format!("adding resource \"{}\"", name.escape_debug()),
            "files are opened by clients",
        ))
    }
}
