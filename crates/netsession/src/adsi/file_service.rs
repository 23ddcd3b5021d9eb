//! [`FileService`]: IADsFileService and IADsFileServiceOperations.

use std::sync::Arc;

use srvsvc::ServerInfo;
use tokio::sync::Mutex;

use super::binding::Binding;
use super::place::{FILE_SERVICE, LANMAN_SERVER, Place};
use super::value::{known, not_found, not_implemented, read_only};
use super::{AdsPath, ResourcesCollection, Result, SessionsCollection, Value};
use crate::{Credentials, ErrorKind, Options};

/// State of a service (ADS_STATUS_ENUM's ADS_SERVICE_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ServiceStatus {
    /// ADS_SERVICE_STOPPED.
    Stopped = 1,
    /// ADS_SERVICE_START_PENDING.
    StartPending = 2,
    /// ADS_SERVICE_STOP_PENDING.
    StopPending = 3,
    /// ADS_SERVICE_RUNNING.
    Running = 4,
    /// ADS_SERVICE_CONTINUE_PENDING.
    ContinuePending = 5,
    /// ADS_SERVICE_PAUSE_PENDING.
    PausePending = 6,
    /// ADS_SERVICE_PAUSED.
    Paused = 7,
    /// ADS_SERVICE_ERROR.
    Error = 8,
}

impl From<ServiceStatus> for i32 {
    fn from(status: ServiceStatus) -> Self {
        status as Self
    }
}

/// The file service of one server (IADsFileService, IADsFileServiceOperations).
///
/// Its connection is made when binding and shared with the collections and objects that come
/// from it. A call that finds it lost fails (0x80070040), and the next one connects again.
/// Any number of threads may use them; their calls go one after another.
#[derive(Debug)]
pub struct FileService {
    binding: Arc<Binding>,
    cache: Mutex<Option<Arc<Cache>>>,
}

/// What NetrServerGetInfo gave.
#[derive(Debug)]
struct Cache {
    info: ServerInfo,
    /// It was level 102.
    is_full: bool,
}

/// Properties that only the service control manager ([MS-SCMR]) could tell.
const OF_THE_SERVICE_CONTROL_MANAGER: &str =
    "only the service control manager knows it, which is not asked here";

impl FileService {
    /// The properties that [`FileService::get`] knows: those of IADsFileService with a value
    /// here, those without, and those of IADs.
    pub const PROPERTIES: &'static [&'static str] = &[
        "Description",
        "MaxUserCount",
        "HostComputer",
        "Version",
        "DisplayName",
        "ServiceType",
        "StartType",
        "Path",
        "StartupParameters",
        "ErrorControl",
        "LoadOrderGroup",
        "ServiceAccountName",
        "ServiceAccountPath",
        "Dependencies",
        "Name",
        "Class",
        "GUID",
        "ADsPath",
        "Parent",
        "Schema",
    ];

    /// Binds to what `path` names; [`get_object`](super::get_object) for text.
    ///
    /// # Errors
    /// As [`get_object`](super::get_object).
    pub async fn bind(
        path: &AdsPath,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self> {
        Self::at(Place::of(path)?, credentials, options).await
    }

    pub(super) async fn at(
        place: Place,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self> {
        let binding = Binding::new(place, credentials, options).await?;
        Ok(Self {
            binding: Arc::new(binding),
            cache: Mutex::new(None),
        })
    }

    /// Sessions: the collection. Nothing is asked of the server before it is enumerated.
    pub fn sessions(&self) -> SessionsCollection {
        SessionsCollection::new(&self.binding)
    }

    /// Resources: the collection. Nothing is asked of the server before it is enumerated.
    pub fn resources(&self) -> ResourcesCollection {
        ResourcesCollection::new(&self.binding)
    }

    /// Status: running if the Server service answers, stopped if the machine says that it
    /// does not run (2114). No other state can be seen from outside.
    ///
    /// # Errors
    /// Those of the call: 0x80070035 if the machine cannot be reached.
    pub async fn status(&self) -> Result<ServiceStatus> {
        let is_lost = |error: &super::Error| {
            error
                .call()
                .is_some_and(|call| call.kind() == ErrorKind::ConnectionLost)
        };
        let mut result = self.binding.probe().await;
        if result.as_ref().is_err_and(is_lost) {
            // That the connection of before is gone says nothing of the service of now.
            result = self.binding.probe().await;
        }
        match result {
            Ok(()) => Ok(ServiceStatus::Running),
            Err(error) => match error.call().map(crate::Error::kind) {
                Some(ErrorKind::ServerNotStarted) => Ok(ServiceStatus::Stopped),
                _ => Err(error),
            },
        }
    }

    /// Start: needs the service control manager.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn start(&self) -> Result<()> {
        Err(control("starting"))
    }

    /// Stop: needs the service control manager.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn stop(&self) -> Result<()> {
        Err(control("stopping"))
    }

    /// Pause: needs the service control manager.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn pause(&self) -> Result<()> {
        Err(control("pausing"))
    }

    /// Continue (a keyword in Rust): needs the service control manager.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn continue_(&self) -> Result<()> {
        Err(control("continuing"))
    }

    /// SetPassword: needs the service control manager.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn set_password(&self, _new_password: &str) -> Result<()> {
        Err(control("changing the account's password of"))
    }

    /// Name: `LanmanServer`.
    pub fn name(&self) -> &'static str {
        LANMAN_SERVER
    }

    /// Class: `FileService`.
    pub fn class(&self) -> &'static str {
        FILE_SERVICE
    }

    /// ADsPath, without the class.
    pub fn ads_path(&self) -> String {
        self.binding.place().service()
    }

    /// Parent: ADsPath of the computer.
    pub fn parent(&self) -> String {
        self.binding.place().computer()
    }

    /// HostComputer: ADsPath of the computer.
    pub fn host_computer(&self) -> String {
        self.binding.place().computer()
    }

    /// Schema: ADsPath of the class object.
    pub fn schema(&self) -> String {
        self.binding.place().schema(FILE_SERVICE)
    }

    /// Description: the server's comment. Asked for once, as are the next two; after that
    /// the cache answers until [`FileService::get_info`].
    ///
    /// # Errors
    /// Those of the call.
    pub async fn description(&self) -> Result<String> {
        Ok(self.cache().await?.info.comment.clone())
    }

    /// MaxUserCount: most users at once; `None` for no limit, which ADSI gives as −1.
    ///
    /// # Errors
    /// Those of the call; [`HResult::E_ADS_PROPERTY_NOT_FOUND`] if the server tells it only
    /// to administrators.
    ///
    /// [`HResult::E_ADS_PROPERTY_NOT_FOUND`]: super::HResult::E_ADS_PROPERTY_NOT_FOUND
    pub async fn max_user_count(&self) -> Result<Option<u32>> {
        let count = self.cache().await?.max_user_count()?;
        Ok(u32::try_from(count).ok())
    }

    /// Version: of the server, `major.minor`.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn version(&self) -> Result<String> {
        Ok(self.cache().await?.version())
    }

    /// Get: a property by name, in whatever case. The first that needs the server fills the
    /// cache.
    ///
    /// # Errors
    /// [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`] if the class has none of this name,
    /// [`HResult::E_ADS_PROPERTY_NOT_FOUND`] if it has no value here, and those of the call.
    ///
    /// [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`]: super::HResult::E_ADS_PROPERTY_NOT_SUPPORTED
    /// [`HResult::E_ADS_PROPERTY_NOT_FOUND`]: super::HResult::E_ADS_PROPERTY_NOT_FOUND
    pub async fn get(&self, property: &str) -> Result<Value> {
        let name = known(Self::PROPERTIES, FILE_SERVICE, property)?;
        Ok(match name {
            "Description" => self.description().await?.into(),
            "MaxUserCount" => self.cache().await?.max_user_count()?.into(),
            "HostComputer" => self.host_computer().into(),
            "Version" => self.version().await?.into(),
            "Name" => LANMAN_SERVER.into(),
            "Class" => FILE_SERVICE.into(),
            "ADsPath" => self.ads_path().into(),
            "Parent" => self.parent().into(),
            "Schema" => self.schema().into(),
            "GUID" => {
                let why = "a file service has no identifier";
                return Err(not_found(FILE_SERVICE, name, why));
            }
            _ => {
                return Err(not_found(
                    FILE_SERVICE,
                    name,
                    OF_THE_SERVICE_CONTROL_MANAGER,
                ));
            }
        })
    }

    /// GetInfo: reads the cache anew (NetServerGetInfo).
    ///
    /// # Errors
    /// Those of the call; the cache stays as it was.
    pub async fn get_info(&self) -> Result<()> {
        let cache = self.read().await?;
        *self.cache.lock().await = Some(cache);
        Ok(())
    }

    /// Put: ADSI lets Description and MaxUserCount be changed; NetServerSetInfo is not made
    /// here yet.
    ///
    /// # Errors
    /// [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL) for these two,
    /// [`HResult::E_ADS_PROPERTY_NOT_SUPPORTED`](super::HResult::E_ADS_PROPERTY_NOT_SUPPORTED)
    /// for others.
    pub fn put(&self, property: &str, _value: &Value) -> Result<()> {
        match known(Self::PROPERTIES, FILE_SERVICE, property)? {
            name @ ("Description" | "MaxUserCount") => Err(not_implemented(
                format!("changing property {name} of a {FILE_SERVICE}"),
                "change it in the server's own configuration",
            )),
            name => Err(read_only(FILE_SERVICE, name)),
        }
    }

    /// SetInfo: nothing has been put that could be written.
    ///
    /// # Errors
    /// Always [`HResult::E_NOTIMPL`](super::HResult::E_NOTIMPL).
    pub fn set_info(&self) -> Result<()> {
        Err(not_implemented(
            "writing a file service's properties",
            "change them in the server's own configuration",
        ))
    }

    async fn read(&self) -> Result<Arc<Cache>> {
        let (info, is_full) = self.binding.server_info().await?;
        Ok(Arc::new(Cache { info, is_full }))
    }

    async fn cache(&self) -> Result<Arc<Cache>> {
        let mut cache = self.cache.lock().await;
        match &*cache {
            Some(cache) => Ok(Arc::clone(cache)),
            None => Ok(Arc::clone(cache.insert(self.read().await?))),
        }
    }
}

impl Cache {
    /// −1 for no limit, and for one that no LONG can hold.
    fn max_user_count(&self) -> Result<i32> {
        if self.is_full {
            Ok(i32::try_from(self.info.users).unwrap_or(-1))
        } else {
            let why = "the server gives it (level 102) to administrators only";
            Err(not_found(FILE_SERVICE, "MaxUserCount", why))
        }
    }

    fn version(&self) -> String {
        format!("{}.{}", self.info.version_major, self.info.version_minor)
    }
}

fn control(what: &str) -> super::Error {
    not_implemented(
        format!("{what} the service {LANMAN_SERVER}"),
        "only the service control manager could, which is not asked here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adsi::HResult;

    fn cache(users: u32, is_full: bool) -> Cache {
        Cache {
            info: ServerInfo {
                users,
                ..ServerInfo::default()
            },
            is_full,
        }
    }

    #[test]
    fn no_limit_is_minus_one() {
        for (users, count) in [(0, 0), (16, 16), (u32::MAX, -1), (0x8000_0000, -1)] {
            assert_eq!(cache(users, true).max_user_count().unwrap(), count);
        }
        let error = cache(0, false).max_user_count().unwrap_err();
        assert_eq!(error.hresult(), HResult::E_ADS_PROPERTY_NOT_FOUND);
    }

    #[test]
    fn status_numbers() {
        let all = [
            ServiceStatus::Stopped,
            ServiceStatus::StartPending,
            ServiceStatus::StopPending,
            ServiceStatus::Running,
            ServiceStatus::ContinuePending,
            ServiceStatus::PausePending,
            ServiceStatus::Paused,
            ServiceStatus::Error,
        ];
        let numbers: Vec<i32> = all.into_iter().map(i32::from).collect();
        assert_eq!(numbers, (1..=8).collect::<Vec<i32>>());
    }
}
