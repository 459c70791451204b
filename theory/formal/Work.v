(** * Total work does not depend on the policy

    A request of size [s] and output length [o] starts at some step on some worker and grows by
    [d] at every step until it has been served [o] times.  A schedule says where and when every
    request starts; any policy, however it decides, leaves a schedule behind.

    Claim: [energy.work-invariance]. *)

From Coq Require Import ZArith List Lia.
From evenkeel Require Import Loads.
Import ListNotations.
Open Scope Z_scope.

Record request := Request { size : Z; output : nat }.
Record placement := Placement { start : nat; worker : nat }.

(** Load of a request at its [j]-th active step, counted from 0: [s + d j]. *)
Definition grown (d : Z) (r : request) (j : nat) : Z := size r + d * Z.of_nat j.

(** [sum_j w_i(j) = o s + d o (o - 1) / 2]. *)
Definition request_work (d s o : Z) : Z := o * s + d * (o * (o - 1) / 2).

(** What a request adds to the load of worker [g] at step [k]. *)
Definition load_at (d : Z) (g k : nat) (job : request * placement) : Z :=
  let (r, p) := job in
  if ((worker p =? g) && (start p <=? k) && (k <? start p + output r))%nat%bool
  then grown d r (k - start p) else 0.

(** Load [L_g(k)], and total work of [G] workers over [K] steps. *)
Definition load (d : Z) (schedule : list (request * placement)) (g k : nat) : Z :=
  sum (map (load_at d g k) schedule).

Definition total_work (d : Z) (schedule : list (request * placement)) (G K : nat) : Z :=
  sum (map (fun k => sum (map (fun g => load d schedule g k) (seq 0 G))) (seq 0 K)).

(** Every request is on one of the [G] workers and departs within the [K] steps. *)
Definition completes (schedule : list (request * placement)) (G K : nat) : Prop :=
  Forall (fun job => (worker (snd job) < G)%nat /\
    (start (snd job) + output (fst job) <= K)%nat) schedule.

(** ** Sums over steps and workers *)

Lemma sum_map_add : forall A (f g : A -> Z) xs,
  sum (map (fun x => f x + g x) xs) = sum (map f xs) + sum (map g xs).
Proof. induction xs; simpl; lia. Qed.

Lemma sum_zero : forall A (f : A -> Z) xs, (forall x, In x xs -> f x = 0) -> sum (map f xs) = 0.
Proof.
  induction xs; simpl; intros H; [reflexivity|]. rewrite H by tauto. rewrite IHxs; [lia|]. auto.
Qed.

Lemma sum_exchange : forall A B (f : A -> B -> Z) xs ys,
  sum (map (fun x => sum (map (f x) ys)) xs) = sum (map (fun y => sum (map (fun x => f x y) xs)) ys).
Proof.
  induction xs; intros ys; simpl.
  - symmetry. now apply sum_zero.
  - rewrite IHxs. symmetry. apply sum_map_add.
Qed.

(** A term that one index alone gives. *)
Lemma sum_one : forall n g v, (g < n)%nat ->
  sum (map (fun h => if (g =? h)%nat then v else 0) (seq 0 n)) = v.
Proof.
  intros n g v H. replace n with (g + (1 + (n - g - 1)))%nat by lia.
  rewrite !seq_app, !map_app, !sum_app. simpl. rewrite Nat.eqb_refl.
  rewrite (sum_zero _ _ (seq 0 g)), (sum_zero _ _ (seq (g + 1) _)); [lia| |].
  - intros x I. apply in_seq in I. destruct (Nat.eqb_spec g x); lia.
  - intros x I. apply in_seq in I. destruct (Nat.eqb_spec g x); lia.
Qed.

Lemma even_product : forall n, n * (n - 1) = 2 * (n * (n - 1) / 2).
Proof.
  intros n. apply Z_div_exact_full_2; [lia|].
  destruct (Z.Even_or_Odd n) as [[m ->]|[m ->]].
  - replace (2 * m * (2 * m - 1)) with ((m * (2 * m - 1)) * 2) by ring. apply Z_mod_mult.
  - replace ((2 * m + 1) * (2 * m + 1 - 1)) with ((m * (2 * m + 1)) * 2) by ring. apply Z_mod_mult.
Qed.

(** A request's work: the sum over its active steps. *)
Lemma work_of_request : forall d r,
  sum (map (grown d r) (seq 0 (output r))) = request_work d (size r) (Z.of_nat (output r)).
Proof.
  intros d r. unfold request_work. generalize (output r). induction n as [|o IH].
  - change (0 = 0 * size r + d * 0). ring.
  - rewrite seq_S, map_app, sum_app, IH. unfold sum, grown. cbn [map fold_right Nat.add].
    rewrite Nat2Z.inj_succ. set (n := Z.of_nat o).
    assert (E : Z.succ n * (Z.succ n - 1) / 2 = n * (n - 1) / 2 + n).
    { pose proof (even_product n). pose proof (even_product (Z.succ n)). lia. }
    rewrite E. unfold Z.succ. ring.
Qed.

(** Over all workers and steps a job contributes its request's work. *)
Lemma work_of_job : forall d G K job,
  (worker (snd job) < G)%nat -> (start (snd job) + output (fst job) <= K)%nat ->
  sum (map (fun k => sum (map (fun g => load_at d g k job) (seq 0 G))) (seq 0 K))
  = request_work d (size (fst job)) (Z.of_nat (output (fst job))).
Proof.
  intros d G K [r [t g]] Hg Hk. simpl in *. rewrite <- work_of_request.
  set (f := fun k => if ((t <=? k) && (k <? t + output r))%nat%bool then grown d r (k - t) else 0).
  assert (E : forall k, sum (map (fun h => if ((g =? h) && (t <=? k) && (k <? t + output r))%nat%bool
    then grown d r (k - t) else 0) (seq 0 G)) = f k).
  { intros k. rewrite <- (sum_one G g (f k) Hg). f_equal. apply map_ext. intros h. unfold f.
    destruct (g =? h)%nat, (t <=? k)%nat, (k <? t + output r)%nat; reflexivity. }
  rewrite (map_ext _ _ E). replace K with (t + (output r + (K - t - output r)))%nat by lia.
  rewrite !seq_app, !map_app, !sum_app.
  rewrite (sum_zero _ f (seq 0 t)), (sum_zero _ f (seq (0 + t + output r) _)).
  - simpl. rewrite Z.add_0_r. f_equal. clear.
    assert (H : forall n j, (j + n <= output r)%nat ->
      map f (seq (t + j) n) = map (grown d r) (seq j n)).
    { induction n; intros j H; simpl; [reflexivity|]. f_equal.
      - unfold f. destruct (Nat.leb_spec t (t + j)), (Nat.ltb_spec (t + j) (t + output r)); try lia.
        simpl. f_equal. lia.
      - rewrite <- (IHn (S j)) by lia. now rewrite Nat.add_succ_r. }
    specialize (H (output r) 0%nat). rewrite Nat.add_0_r in H. now apply H.
  - intros k I. apply in_seq in I. unfold f.
    destruct (Nat.leb_spec t k), (Nat.ltb_spec k (t + output r)); simpl; try lia; reflexivity.
  - intros k I. apply in_seq in I. unfold f.
    destruct (Nat.leb_spec t k), (Nat.ltb_spec k (t + output r)); simpl; try lia; reflexivity.
Qed.

(** ** [energy.work-invariance] *)

(** Every schedule that completes has total work [sum_i (o_i s_i + d o_i (o_i - 1) / 2)]; so two
    schedules of the same requests have the same, whatever the workers and the steps. *)
Theorem energy_work_invariance :
  (forall d schedule G K, completes schedule G K ->
     total_work d schedule G K
     = sum (map (fun job => request_work d (size (fst job)) (Z.of_nat (output (fst job)))) schedule))
  /\
  (forall d requests placements others G K H L,
     length placements = length requests -> length others = length requests ->
     completes (combine requests placements) G K -> completes (combine requests others) H L ->
     total_work d (combine requests placements) G K = total_work d (combine requests others) H L).
Proof.
  assert (X : forall d schedule G K, completes schedule G K ->
    total_work d schedule G K
    = sum (map (fun job => request_work d (size (fst job)) (Z.of_nat (output (fst job)))) schedule)).
  { intros d schedule G K F. unfold total_work, load.
    transitivity (sum (map (fun k => sum (map (fun job =>
      sum (map (fun g => load_at d g k job) (seq 0 G))) schedule)) (seq 0 K))).
    { f_equal. apply map_ext. intros k. apply (sum_exchange _ _ (fun g job => load_at d g k job)). }
    rewrite (sum_exchange _ _ (fun k job => sum (map (fun g => load_at d g k job) (seq 0 G)))).
    f_equal. induction F as [|job jobs [A B] F IH]; simpl map; [reflexivity|].
    rewrite IH. f_equal. now apply work_of_job. }
  split; [exact X|]. intros d rs ps qs G K H L N M P Q. rewrite !X by assumption.
  clear P Q. revert ps qs N M. induction rs; intros [|p ps] [|q qs] N M; simpl in *; try lia.
  rewrite (IHrs ps qs); lia.
Qed.
