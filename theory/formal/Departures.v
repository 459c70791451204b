(** * The step after a balanced one

    [G] workers with [B] slots each, all of them occupied.  Every request grows by the same amount,
    some depart, and an admission fills their slots.  From equal loads, with a rich pool and an
    optimal admission, whether the loads can be equal again is decided by the departed requests
    alone.

    Claims: [threshold.rich], [threshold.replacement]. *)

From Coq Require Import ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill.
Import ListNotations.
Open Scope Z_scope.

(** A request on a worker: its load, and whether it departs at the end of the step. *)
Definition job : Type := Z * bool.
Definition state : Type := list (list job).

Definition full (G B : nat) (workers : state) : Prop :=
  length workers = G /\ Forall (fun jobs => length jobs = B) workers.

(** Every request grows by the same amount. *)
Definition grown (growth : Z) (workers : state) : state :=
  map (map (fun j => (fst j + growth, snd j))) workers.

Definition held (jobs : list job) : Z := sum (map fst jobs).
Definition leaving (jobs : list job) : list Z := map fst (filter snd jobs).
Definition kept (jobs : list job) : list Z := map fst (filter (fun j => negb (snd j)) jobs).
Definition gone (jobs : list job) : nat := length (leaving jobs).

(** The step that follows the departures. *)
Definition refill (workers : state) (pool : list Z) : step :=
  Step (map (fun jobs => sum (kept jobs)) workers) (map gone workers) pool.

(** Loads of the departed requests above size [y]. *)
Definition released (y : Z) (jobs : list job) : Z := sum (map (fun w => w - y) (leaving jobs)).

Lemma kept_length : forall jobs, (length (kept jobs) + gone jobs = length jobs)%nat.
Proof.
  unfold kept, gone, leaving. induction jobs as [|[w [|]] jobs IH]; simpl in *; [reflexivity|lia|].
  rewrite !map_length in *. lia.
Qed.

(** The load with every free slot given size [y]. *)
Lemma load_at : forall y jobs,
  sum (kept jobs) + Z.of_nat (gone jobs) * y = held jobs - released y jobs.
Proof.
  intros y jobs. unfold held, released, gone, kept, leaving.
  induction jobs as [|[w [|]] jobs IH]; [reflexivity| |].
  - change (filter snd ((w, true) :: jobs)) with ((w, true) :: filter snd jobs).
    change (filter (fun j : job => negb (snd j)) ((w, true) :: jobs))
      with (filter (fun j : job => negb (snd j)) jobs).
    simpl map. simpl length. simpl sum. lia.
  - change (filter snd ((w, false) :: jobs)) with (filter snd jobs).
    change (filter (fun j : job => negb (snd j)) ((w, false) :: jobs))
      with ((w, false) :: filter (fun j : job => negb (snd j)) jobs).
    simpl map. simpl sum. lia.
Qed.

Lemma combine_maps : forall A B C (f : A -> B) (g : A -> C) xs,
  combine (map f xs) (map g xs) = map (fun x => (f x, g x)) xs.
Proof. induction xs; simpl; congruence. Qed.

Lemma refill_well_formed : forall G B workers pool, (1 <= G)%nat -> full G B workers ->
  well_formed (refill workers pool).
Proof.
  intros G B workers pool g [L _]. split; simpl.
  - intros E. apply map_eq_nil in E. subst. simpl in g. lia.
  - now rewrite !map_length.
Qed.

Lemma sum_grown : forall c xs,
  sum (map (Z.add c) xs) = Z.of_nat (length xs) * c + sum xs.
Proof. induction xs; [reflexivity|]. simpl map. simpl sum. simpl length. lia. Qed.

Lemma held_grown : forall G B c workers, full G B workers ->
  map held (grown c workers) = map (Z.add (Z.of_nat B * c)) (map held workers).
Proof.
  intros G B c workers [_ F]. unfold grown. rewrite !map_map. apply map_ext_in. intros jobs I.
  rewrite Forall_forall in F. rewrite <- (F jobs I). unfold held. rewrite map_map. simpl.
  clear. induction jobs as [|j jobs IH]; [reflexivity|]. simpl map. simpl sum. simpl length. lia.
Qed.

Lemma full_grown : forall G B c workers, full G B workers -> full G B (grown c workers).
Proof.
  intros G B c workers [L F]. unfold grown. split; [now rewrite map_length|].
  apply Forall_map. eapply Forall_impl; [|exact F]. intros jobs. now rewrite map_length.
Qed.

Lemma imbalance_of_all_grown : forall c xs, imbalance (map (Z.add c) xs) = imbalance xs.
Proof.
  intros c xs. destruct xs as [|x xs]; [reflexivity|].
  assert (M : largest (map (Z.add c) (x :: xs)) = c + largest (x :: xs)).
  { simpl. induction xs as [|y ys IH]; simpl; [reflexivity|]. rewrite IH. lia. }
  unfold imbalance. rewrite M, sum_grown, map_length. lia.
Qed.

(** ** The next state *)

(** [next] is the state after an admission of a given kind: every worker holds the requests that
    stay and those that are admitted, all grown by the same amount.  What departs then is free. *)
Definition moves (admission : step -> list (list Z) -> Prop) (workers next : state) : Prop :=
  exists pool groups growth, admission (refill workers pool) groups /\
    Forall2 (fun worker jobs =>
      Permutation (map fst jobs) (map (Z.add growth) (kept (fst worker) ++ snd worker)))
      (combine workers groups) next.

(** The slots are full again and the imbalance is that of the admission. *)
Lemma after_a_step : forall G B workers pool groups growth next,
  (1 <= G)%nat -> full G B workers ->
  (list_sum (free (refill workers pool)) <= length pool)%nat ->
  admits (refill workers pool) groups ->
  Forall2 (fun worker jobs =>
    Permutation (map fst jobs) (map (Z.add growth) (kept (fst worker) ++ snd worker)))
    (combine workers groups) next ->
  full G B next /\
  map held next = map (Z.add (Z.of_nat B * growth)) (after (refill workers pool) groups).
Proof.
  intros G B workers pool groups growth next g [L F] E A S.
  pose proof (every_slot_filled _ _ A E) as K. simpl in K. clear E A.
  unfold full, after, add_groups. simpl. subst G. clear g.
  revert groups next K S. induction F as [|jobs workers N F IH]; intros groups next K S.
  - inversion K; subst. inversion S; subst. repeat split; constructor.
  - inversion K as [|? group ? rest L K']; subst. inversion S as [|? new ? nexts P S']; subst.
    destruct (IH rest nexts K' S') as [[L1 F1] H1]. simpl in P.
    pose proof (Permutation_length P) as Q. rewrite !map_length, app_length, L in Q.
    rewrite kept_length in Q. split; [split|].
    + simpl. congruence.
    + now constructor.
    + simpl. f_equal; [|exact H1]. unfold held.
      rewrite (sum_permutation _ _ P), sum_grown, app_length, L, kept_length, sum_app. lia.
Qed.

(** ** Balanced loads *)

Lemma balanced_loads : forall loads, imbalance loads = 0 ->
  Forall (fun load => load = largest loads) loads.
Proof.
  intros loads E. destruct loads as [|x xs]; [constructor|]. set (l := x :: xs) in *.
  assert (N : l <> []) by discriminate. pose proof (imbalance_at_least l N) as A.
  apply Forall_forall. intros y I. pose proof (largest_above l y I).
  pose proof (smallest_below l y I). lia.
Qed.

Lemma sum_of_nonnegative : forall A (f : A -> Z) xs,
  0 <= sum (map (fun x => Z.max 0 (f x)) xs) /\
  (sum (map (fun x => Z.max 0 (f x)) xs) = 0 <-> Forall (fun x => f x <= 0) xs).
Proof.
  induction xs as [|x xs [IH1 IH2]]; simpl; [split; [lia|]; split; constructor|].
  split; [lia|]. split; intros H.
  - constructor; [lia|]. apply IH2. lia.
  - inversion H; subst. apply IH2 in H3. lia.
Qed.

Lemma balanced_refill : forall G B a b workers pool, (1 <= G)%nat -> full G B workers ->
  imbalance (map held workers) = 0 ->
  let s := refill workers pool in
  waterfill (loads s) (free s) a b
  = sum (map (fun x => Z.max 0 (x - smallest (map (released a) workers)))
             (map (released b) workers)).
Proof.
  intros G B a b workers pool g [L F] E s. unfold waterfill, level, s. simpl.
  rewrite combine_maps, !map_map. simpl. set (H := largest (map held workers)).
  assert (Q : forall jobs, In jobs workers -> held jobs = H).
  { intros jobs I. apply balanced_loads in E. rewrite Forall_forall in E.
    now apply E, in_map. }
  assert (N : workers <> []) by (intros ->; simpl in L; lia).
  assert (M : largest (map (fun jobs => sum (kept jobs) + Z.of_nat (gone jobs) * a) workers)
    = H - smallest (map (released a) workers)).
  { apply Z.le_antisymm.
    - apply largest_least; [intros Z; now apply map_eq_nil in Z|].
      apply Forall_map, Forall_forall. intros jobs I. rewrite load_at, (Q jobs I).
      assert (smallest (map (released a) workers) <= released a jobs); [|lia].
      now apply smallest_below, in_map.
    - assert (I : In (smallest (map (released a) workers)) (map (released a) workers)).
      { apply smallest_in. intros Z. now apply map_eq_nil in Z. }
      apply in_map_iff in I. destruct I as (jobs & K & I). rewrite <- K, <- (Q jobs I), <- load_at.
      apply largest_above. apply in_map_iff. now exists jobs. }
  rewrite M. f_equal. apply map_ext_in. intros jobs I.
  replace (H - smallest (map (released a) workers) - sum (kept jobs) - Z.of_nat (gone jobs) * b)
    with (H - smallest (map (released a) workers)
          - (sum (kept jobs) + Z.of_nat (gone jobs) * b)) by lia.
  rewrite load_at, (Q jobs I). lia.
Qed.

(** [threshold.rich]: after a balanced step the next optimal step has imbalance
    [sum_g (X_g - min_h Y_h)^+], with [X_g] the sum of [w - b] and [Y_g] that of [w - a] over the
    requests that departed, growth included; it is balanced again iff [max X <= min Y]. *)
Theorem threshold_rich : forall G B a b growth workers pool,
  (1 <= G)%nat -> full G B workers -> a <= b -> imbalance (map held workers) = 0 ->
  let after := grown growth workers in let s := refill after pool in
  rich_pool s a b ->
  let Xs := map (released b) after in let Ys := map (released a) after in
  optimum s (sum (map (fun x => Z.max 0 (x - smallest Ys)) Xs)) /\
  (optimum s 0 <-> largest Xs <= smallest Ys).
Proof.
  intros G B a b growth workers pool g F ab E after s R Xs Ys.
  assert (F' : full G B after) by now apply full_grown.
  assert (E' : imbalance (map held after) = 0).
  { unfold after. rewrite (held_grown G B growth workers F), imbalance_of_all_grown. exact E. }
  pose proof (balanced_refill G B a b after pool g F' E') as K. cbv zeta in K. fold s Xs Ys in K.
  assert (O : optimum s (sum (map (fun x => Z.max 0 (x - smallest Ys)) Xs))).
  { rewrite <- K. apply step_waterfill; auto. now apply (refill_well_formed G B). }
  split; [exact O|]. destruct (sum_of_nonnegative Z (fun x => x - smallest Ys) Xs) as [_ S].
  assert (N : Xs <> []).
  { intros Z. apply map_eq_nil in Z. destruct F' as [L _]. rewrite Z in L. simpl in L. lia. }
  split; intros H.
  - pose proof (optimum_unique _ _ _ O H) as Z. apply S in Z. apply largest_least; [exact N|].
    eapply Forall_impl; [|exact Z]. simpl. lia.
  - replace 0 with (sum (map (fun x => Z.max 0 (x - smallest Ys)) Xs)); [exact O|].
    apply S, Forall_forall. intros x I. apply largest_above in I. lia.
Qed.

(** [threshold.replacement]: if every request that departs has a load of at most [b], growth
    included, the next optimal step is balanced again, whatever the numbers of departures. *)
Theorem threshold_replacement : forall G B a b growth workers pool,
  (1 <= G)%nat -> full G B workers -> a <= b -> imbalance (map held workers) = 0 ->
  let after := grown growth workers in let s := refill after pool in
  rich_pool s a b ->
  Forall (fun jobs => Forall (fun w => a <= w <= b) (leaving jobs)) after ->
  optimum s 0.
Proof.
  intros G B a b growth workers pool g F ab E after s R D.
  destruct (threshold_rich G B a b growth workers pool g F ab E R) as [_ K]. fold after s in K.
  assert (N : after <> []).
  { destruct (full_grown G B growth workers F) as [L _]. fold after in L. intros Z.
    rewrite Z in L. simpl in L. lia. }
  apply K. apply Z.le_trans with 0.
  - apply largest_least; [intros Z; now apply map_eq_nil in Z|].
    apply Forall_map. eapply Forall_impl; [|exact D]. intros jobs H. unfold released.
    clear - H. induction H; simpl; lia.
  - apply smallest_greatest; [intros Z; now apply map_eq_nil in Z|].
    apply Forall_map. eapply Forall_impl; [|exact D]. intros jobs H. unfold released.
    clear - H. induction H; simpl; lia.
Qed.
