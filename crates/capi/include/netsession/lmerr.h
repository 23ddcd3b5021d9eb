/*
 * lmerr.h - numbers that the functions answer: those of Windows, of winerror.h too.
 *
 * Any other number of Windows may come from a server. netsession_status_name gives the name
 * of those listed here.
 */
#ifndef NETSESSION_LMERR_H
#define NETSESSION_LMERR_H

#define NERR_Success 0
#define NERR_BASE 2100

/* ERROR_* and RPC_* of winerror.h */
#define NO_ERROR 0
#define ERROR_SUCCESS 0
#define ERROR_ACCESS_DENIED 5 /* the account lacks the right */
#define ERROR_NOT_ENOUGH_MEMORY 8
#define ERROR_NOT_SUPPORTED 50 /* the server lacks the call */
#define ERROR_BAD_NETPATH 53 /* no server of that name can be reached */
#define ERROR_NETNAME_DELETED 64 /* the connection broke in the middle */
#define ERROR_NETWORK_ACCESS_DENIED 65
#define ERROR_BAD_NET_NAME 67 /* no such share */
#define ERROR_REQ_NOT_ACCEP 71
#define ERROR_INVALID_PARAMETER 87 /* an argument is wrong; nothing was sent */
#define ERROR_BROKEN_PIPE 109
#define ERROR_CALL_NOT_IMPLEMENTED 120
#define ERROR_SEM_TIMEOUT 121 /* no answer within the time limit */
#define ERROR_INVALID_LEVEL 124
#define ERROR_PIPE_BUSY 231
#define ERROR_NO_DATA 232
#define ERROR_PIPE_NOT_CONNECTED 233
#define ERROR_MORE_DATA 234 /* entries came, and there are more */
#define ERROR_SERVICE_NOT_ACTIVE 1062
#define ERROR_NOT_ENOUGH_SERVER_MEMORY 1130
#define ERROR_PRIVILEGE_NOT_HELD 1314
#define ERROR_LOGON_FAILURE 1326 /* user or password wrong */
#define ERROR_ACCOUNT_RESTRICTION 1327
#define ERROR_PASSWORD_EXPIRED 1330
#define ERROR_ACCOUNT_DISABLED 1331
#define ERROR_LOGON_TYPE_NOT_GRANTED 1385
#define ERROR_NO_SYSTEM_RESOURCES 1450
#define RPC_S_INVALID_BINDING 1702
#define RPC_S_UNKNOWN_IF 1717 /* the server has no Server service */
#define RPC_S_SERVER_UNAVAILABLE 1722
#define RPC_S_CALL_FAILED 1726
#define RPC_S_INVALID_TAG 1733 /* the server does not know the level */
#define RPC_S_PROCNUM_OUT_OF_RANGE 1745 /* the server does not know the call */
#define RPC_X_BAD_STUB_DATA 1783
#define ERROR_ACCOUNT_LOCKED_OUT 1909

/* NERR_* */
#define NERR_NetNotStarted (NERR_BASE + 2)
#define NERR_UnknownServer (NERR_BASE + 3)
#define NERR_ServerNotStarted (NERR_BASE + 14) /* the service does not run on this machine */
#define NERR_BufTooSmall (NERR_BASE + 23)
#define NERR_WkstaNotStarted (NERR_BASE + 38)
#define NERR_InternalError (NERR_BASE + 40) /* a fault of this library */
#define NERR_InvalidAPI (NERR_BASE + 42)
#define NERR_UserNotFound (NERR_BASE + 121) /* that user has no session */
#define NERR_NetNameNotFound (NERR_BASE + 210) /* no such share */
#define NERR_ClientNameNotFound (NERR_BASE + 212) /* that computer has no session */
#define NERR_FileIdNotFound (NERR_BASE + 214)
#define NERR_InvalidComputer (NERR_BASE + 251) /* not the form of a computer's name */

#endif
