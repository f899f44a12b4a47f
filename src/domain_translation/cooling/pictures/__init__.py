"""Your own pictures: train a denoiser on a folder, cool and translate another."""

from domain_translation.cooling.errors import RequestError, UserError
from domain_translation.cooling.pictures.arrays import cool, noise_id, score_rms
from domain_translation.cooling.pictures.denoisers import Denoiser, load_denoiser
from domain_translation.cooling.pictures.record import Report
from domain_translation.cooling.pictures.run import cool_folder
from domain_translation.cooling.pictures.training import Training, train_denoiser_on_folder
from domain_translation.cooling.pictures.translator_files import load_translator
from domain_translation.cooling.pictures.translators import Translator

__all__ = [
    "Denoiser",
    "Report",
    "RequestError",
    "Training",
    "Translator",
    "UserError",
    "cool",
    "cool_folder",
    "load_denoiser",
    "load_translator",
    "noise_id",
    "score_rms",
    "train_denoiser_on_folder",
]
