"""Kernels for unattended runs: one BLAS thread each, and local sockets instead of TCP ports, which collide when many start at once."""

import os
import subprocess
import sys
import tempfile
import uuid

from jupyter_client.manager import AsyncKernelManager
from traitlets import default

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager that speaks over sockets in the file system, where the system has them."""

    @default("transport")
    def _transport(self):
        return "tcp" if sys.platform == "win32" else "ipc"

    @default("ip")
    def _ip(self):
        # an absolute path of its own: the library's default is one relative name, which two kernels would share
        return "127.0.0.1" if self.transport == "tcp" else f"{tempfile.gettempdir()}/sprx-{uuid.uuid4().hex[:16]}"

    async def _async_start_kernel(self, **kwargs):
        env = {**os.environ, **kwargs.pop("env", {}), **dict.fromkeys(THREADS, "1"), "PYTHONWARNINGS": "ignore::DeprecationWarning",
               "MPLBACKEND": "agg"}
        # what a kernel prints beside the notebook (at its shutdown, say) is nobody's result
        return await super()._async_start_kernel(env=env, stderr=subprocess.DEVNULL, **kwargs)

    start_kernel = _async_start_kernel
