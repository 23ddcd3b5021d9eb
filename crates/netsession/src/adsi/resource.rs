//! [`Resource`]: IADsResource.

use std::sync::Arc;

use srvsvc::FileInfo;

use super::binding::Binding;
use super::place::LANMAN_SERVER;
use super::value::{known, not_found, read_only};
use super::{Error, HResult, Result, Value};

const CLASS: &str = "Resource";

/// One open file, pipe or folder of a file service, as it was when it was read
/// (IADsResource).
///
/// Clones share the connection; each has its own cache.
#[derive(Clone, Debug)]
pub struct Resource {
    binding: Arc<Binding>,
    cache: FileInfo,
}

impl Resource {
    /// The properties that [`Resource::get`] knows: those of IADsResource, then those of IADs.
    pub const PROPERTIES: &'static [&'static str] = &[
        "User",
        "UserPath",
        "Path",
        "LockCount",
        "Name",
        "Class",
        "GUID",
        "ADsPath",
        "Parent",
        "Schema",
    ];

    pub(super) fn new(binding: &Arc<Binding>, info: FileInfo) -> Self {
        Self {
            binding: Arc::clone(binding),
            cache: info,
        }
    }

    /// User: who opened it, without a domain.
    pub fn user(&self) -> &str {
        &self.cache.user_name
    }

    /// UserPath: ADsPath of that user, as in
    /// [`Session::user_path`](super::Session::user_path).
    pub fn user_path(&self) -> String {
        self.binding.place().user(&self.cache.user_name)
    }

    /// Path: the path on the server.
    pub fn path(&self) -> &str {
        &self.cache.path_name
    }

    /// LockCount: byte-range locks held on it.
    pub fn lock_count(&self) -> u32 {
        self.cache.num_locks
    }

    /// The number of the open, which is its name too.
    pub fn id(&self) -> u32 {
        self.cache.id
    }

    /// Name: the number of the open, in decimal. It is what
    /// [`ResourcesCollection::remove`](super::ResourcesCollection::remove) takes.
    pub fn name(&self) -> String {
        self.cache.id.to_string()
    }

    /// Class: `Resource`.
    pub fn class(&self) -> &'static str {
        CLASS
    }

    /// ADsPath: the parent's and the name.
    pub fn ads_path(&self) -> String {
        format!("{}/{}", self.parent(), self.name())
    }

    /// Parent: ADsPath of the file service.
    pub fn parent(&self) -> String {
        self.binding.place().service()
    }

    /// Schema: ADsPath of the class object.
    pub fn schema(&self) -> String {
        self.binding.place().schema(CLASS)
    }

    /// Get: a property by name, in whatever case, from the cache.
    ///
    /// # Errors
    /// [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`] if the class has none of this name,
    /// [`HResult::E_ADS_PROPERTY_NOT_FOUND`] for GUID, which these objects have not.
    pub fn get(&self, property: &str) -> Result<Value> {
        let name = known(Self::PROPERTIES, CLASS, property)?;
        Ok(match name {
            "User" => self.user().into(),
            "UserPath" => self.user_path().into(),
            "Path" => self.path().into(),
            "LockCount" => Value::from_dword(self.cache.num_locks),
            "Name" => self.name().into(),
            "Class" => CLASS.into(),
            "ADsPath" => self.ads_path().into(),
            "Parent" => self.parent().into(),
            "Schema" => self.schema().into(),
            _ => return Err(not_found(CLASS, name, "a resource has no identifier")),
        })
    }

    /// GetInfo: reads the cache anew (NetFileEnum).
    ///
    /// # Errors
    /// 0x8007090A (NERR_FileIdNotFound) if it has been closed, and those of the call. The
    /// cache stays as it was.
    pub async fn get_info(&mut self) -> Result<()> {
        self.cache = find(&self.binding, self.cache.id).await?;
        Ok(())
    }

    /// Put: no property of a resource can be changed.
    ///
    /// # Errors
    /// Always [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`].
    pub fn put(&self, property: &str, _value: &Value) -> Result<()> {
        Err(read_only(CLASS, property))
    }

    /// SetInfo: there is nothing that could be written.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`].
    pub fn set_info(&self) -> Result<()> {
        Err(super::value::not_implemented(
            "writing a resource's properties",
            "they can only be read",
        ))
    }
}

/// The open with this number. NetrFileGetInfo would ask for one alone, but Samba lacks it.
pub(super) async fn find(binding: &Binding, id: u32) -> Result<FileInfo> {
    const NERR_FILE_ID_NOT_FOUND: HResult = HResult::from_win32(2314);
    let files = binding.files().await?;
    files.into_iter().find(|file| file.id == id).ok_or_else(|| {
        Error::new(
            NERR_FILE_ID_NOT_FOUND,
            format!("resource {id} of {LANMAN_SERVER}"),
            "it has been closed, or never was there",
        )
    })
}

/// The number in a resource's name.
pub(super) fn parse_name(name: &str) -> Result<u32> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|_| digits).ok_or_else(|| {
        Error::new(
            HResult::E_ADS_BAD_PARAMETER,
            format!("resource \"{}\" of {LANMAN_SERVER}", name.escape_debug()),
            "a resource is named by the number of its open",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers() {
        assert_eq!(parse_name("7").unwrap(), 7);
        assert_eq!(parse_name("4294967295").unwrap(), u32::MAX);
        for name in ["", "+7", "-1", " 7", "4294967296", "a"] {
            let error = parse_name(name).unwrap_err();
            assert_eq!(error.hresult(), HResult::E_ADS_BAD_PARAMETER, "{name}");
        }
    }
}
