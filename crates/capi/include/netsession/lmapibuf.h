/*
 * lmapibuf.h - the buffers in which the functions answer.
 *
 * Every address that one of the functions of this library hands out is freed with
 * NetApiBufferFree, and with nothing else. The library keeps account of these addresses:
 * one that it has not handed out, or that has been freed, is answered with 87 and left
 * alone. That is a net for accidents only: an address freed twice may meanwhile be that of
 * a new buffer, and then it is the new one that goes.
 */
#ifndef NETSESSION_LMAPIBUF_H
#define NETSESSION_LMAPIBUF_H

#include "lmcons.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Memory of ByteCount bytes, zeroed, aligned for any type. 0 bytes have an address too.
 * 87: Buffer is NULL or misaligned. 8: no memory; *Buffer is NULL then.
 */
NET_API_STATUS NET_API_FUNCTION NetApiBufferAllocate(DWORD ByteCount, LPVOID *Buffer);

/*
 * Frees a buffer with everything it points to. NULL is harmless: 0.
 * 87: not a buffer of this library, or not any more.
 */
NET_API_STATUS NET_API_FUNCTION NetApiBufferFree(LPVOID Buffer);

/*
 * Gives the buffer another size; what fits stays, what is new is zero, the address may
 * change. OldBuffer NULL allocates; NewByteCount 0 frees, and *NewBuffer is NULL. Not for
 * answers of NetSessionEnum and NetSessionGetInfo: their strings lie in the buffer itself,
 * at the old address.
 * 87 (OldBuffer is not a buffer of this library, or NewBuffer is NULL or misaligned) and 8
 * leave OldBuffer as it is; *NewBuffer is NULL then.
 */
NET_API_STATUS NET_API_FUNCTION NetApiBufferReallocate(LPVOID OldBuffer, DWORD NewByteCount,
                                                       LPVOID *NewBuffer);

/*
 * The size of a buffer in bytes, as it was asked for; of an answer, with its strings.
 * 87: not a buffer of this library, or ByteCount is NULL or misaligned; *ByteCount is 0 then.
 */
NET_API_STATUS NET_API_FUNCTION NetApiBufferSize(LPVOID Buffer, LPDWORD ByteCount);

#ifdef __cplusplus
}
#endif

#endif
