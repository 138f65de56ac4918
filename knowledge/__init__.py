"""Articles, and finding the right one. Usable without the bot.

Its matrices are small: threads of the linear algebra library only wait for each other, and on a busy machine a
rebuild of the index takes four times as long with them. What an operator set stays.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
