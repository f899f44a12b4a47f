"""Your own text: train a denoiser on files of sentences, cool and translate another file."""

from domain_translation.cooling.errors import RequestError, UserError
from domain_translation.cooling.text_files.models import Loaded, load_denoiser, load_translator
from domain_translation.cooling.text_files.run import Report, cool_file
from domain_translation.cooling.text_files.training import Training, train_denoiser_on_text

__all__ = [
    "Loaded",
    "Report",
    "RequestError",
    "Training",
    "UserError",
    "cool_file",
    "load_denoiser",
    "load_translator",
    "train_denoiser_on_text",
]
